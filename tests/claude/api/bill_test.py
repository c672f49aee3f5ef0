"""Totals equal the bill: 10,000 random usages, priced by the program and, in another way, here.

Here means: fractions straight from the text of config/models.json and the API's rules, in a language that has no
integers to overflow. Nothing is shared with the program but that file.
"""

import fractions
import json
import math
import os
import pathlib
import random
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ.get("COHORT_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
PROGRAM = os.environ.get("COHORT_PRICE_ANSWERS", str(SOURCE / "build" / "tests" / "claude" / "price_answers"))
COUNT = 10_000
MOST = 100_000_000  # claude.wire.tokens_in_one_answer: a larger count is a lie.


class PriceList:
    def __init__(self):
        self.text = json.loads((SOURCE / "config" / "models.json").read_text())
        self.models = {model["id"]: model for model in self.text["models"]}

    def cost(self, model, tokens, tier, geo):
        """In whole nano-dollars, rounded up once; `tokens` by the names of a price card."""
        prompt = sum(count for kind, count in tokens.items() if kind != "output")
        card = [c for c in self.models[model]["cards"] if prompt > c.get("above_prompt_tokens", -1)][-1]
        factor = fractions.Fraction(1)
        if tier == "batch":
            factor *= fractions.Fraction(self.text["batch_percent"], 100)
        if geo == "us":
            factor *= fractions.Fraction(self.text["us_inference_percent"], 100)
        per_million = sum(fractions.Fraction(card[kind]) * count for kind, count in tokens.items())
        return math.ceil(per_million * factor * 1000)


class Draw:
    """One usage: what the API says, and what it means."""

    def __init__(self, seed, prices):
        self.dice = random.Random(seed)
        self.model = self.dice.choice(sorted(prices.models))
        self.cache = self.dice.choice(("none", "5m", "1h"))
        self.tier = self.dice.choice(("standard", "priority", "batch", None, "express"))
        self.geo = self.dice.choice(("us", "eu", None, "not_available"))
        self.input, self.read, self.output = self.count(), self.maybe(), self.count()
        self.written_5m, self.written_1h = self.maybe(), self.maybe()
        self.broken_down = self.dice.random() < 0.7
        # What the breakdown leaves out belongs to the cache that was asked for.
        self.rest = self.maybe() if not self.broken_down or self.dice.random() < 0.2 else 0

    def count(self):
        """Of every magnitude, and often at the edge of a price card."""
        if self.dice.random() < 0.2:
            return self.dice.choice((0, 1, 99_999, 100_000, 100_001, 199_999, 200_000, 200_001, MOST))
        return self.dice.randint(0, 10 ** self.dice.randint(1, 8))

    def maybe(self):
        return min(self.count(), MOST // 3) if self.dice.random() < 0.4 else 0

    def tokens(self):
        tokens = {"input": self.input, "cache_read": self.read, "output": self.output,
                  "cache_write_5m": self.written_5m if self.broken_down else 0,
                  "cache_write_1h": self.written_1h if self.broken_down else 0}
        tokens["cache_write_1h" if self.cache == "1h" else "cache_write_5m"] += self.rest
        return tokens

    def or_null(self, value):
        """Nothing is said by null, by 0, and by leaving a field out."""
        return value if value else self.dice.choice((0, None, ...))

    def usage(self):
        tokens = self.tokens()
        written = tokens["cache_write_5m"] + tokens["cache_write_1h"]
        usage = {"input_tokens": self.input, "output_tokens": self.output,
                 "cache_read_input_tokens": self.or_null(self.read),
                 "cache_creation_input_tokens": self.or_null(written), "service_tier": self.tier,
                 "inference_geo": self.geo, "server_tool_use": self.dice.choice((None, {"web_search_requests": 3})),
                 "tokens_of_a_later_version": self.dice.choice((7, "many", [1], {"output_tokens": 9}))}
        if self.broken_down:
            usage["cache_creation"] = {"ephemeral_5m_input_tokens": self.or_null(self.written_5m),
                                       "ephemeral_1h_input_tokens": self.or_null(self.written_1h),
                                       "ephemeral_1d_input_tokens": None}
            usage["cache_creation"] = {k: v for k, v in usage["cache_creation"].items() if v is not ...}
        elif self.dice.random() < 0.5:
            usage["cache_creation"] = None
        items = [(key, value) for key, value in usage.items() if value is not ...]
        self.dice.shuffle(items)
        return dict(items)

    def line(self):
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": self.model,
                   "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"}
        if self.dice.random() < 0.5:
            kind, body = "application/json", json.dumps(dict(message, usage=self.usage()))
        else:
            kind, body = "text/event-stream", self.stream(message, self.usage())
        return "\t".join((self.model, self.cache, kind, body.replace("\n", "\x1e"))) + "\n"

    def stream(self, message, usage):
        """The start tells the input, the delta the output so far; each may repeat what the other says, or say null."""
        begin = dict(usage, output_tokens=self.dice.choice((0, 1, None)) if self.output else 0)
        end = {"output_tokens": self.output}
        if self.dice.random() < 0.5:
            end.update({key: self.dice.choice((usage[key], None)) for key in usage if key.endswith("input_tokens")})
        events = [{"type": "message_start", "message": dict(message, content=[], stop_reason=None, usage=begin)},
                  {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
                  {"type": "message_stop"}]
        return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


class Bill(unittest.TestCase):
    def price(self, lines):
        done = subprocess.run([PROGRAM], input="".join(lines), capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def test_ten_thousand_random_usages_are_priced_to_the_nano_dollar(self):
        prices = PriceList()
        draws = [Draw(seed, prices) for seed in range(COUNT)]
        priced = self.price([draw.line() for draw in draws])
        self.assertEqual(len(priced), COUNT)
        total, wrong = 0, []
        for seed, (draw, said) in enumerate(zip(draws, priced)):
            cost = prices.cost(draw.model, draw.tokens(), draw.tier, draw.geo)
            total += cost
            if said != str(cost):
                wrong.append(f"seed {seed}: {said} instead of {cost} for {draw.line()!r}")
        self.assertEqual(wrong[:3], [])
        self.assertEqual(sum(map(int, priced)), total)
        self.assertTrue(any(cost % 1000 for cost in map(int, priced)), "nothing here needs a nano-dollar")

    def test_a_usage_that_cannot_be_true_has_no_price(self):
        body = {"type": "message", "model": "m", "content": []}
        good = {"input_tokens": 5, "output_tokens": 5}
        bad = [{"input_tokens": -1}, {"output_tokens": MOST + 1}, {"input_tokens": 1.5}, {"output_tokens": "5"},
               {"cache_read_input_tokens": -1}, {"cache_creation": {"ephemeral_1h_input_tokens": -5}},
               {"input_tokens": None}, {"output_tokens": True}]
        lines = [f"sonnet\tnone\tapplication/json\t{json.dumps(dict(body, usage=dict(good, **more)))}\n"
                 for more in [{}, *bad]]
        self.assertEqual(self.price(lines), ["60000"] + ["unusable"] * len(bad))

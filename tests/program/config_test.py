"""What stands in config/ and makes no sense is refused by file, key and what is valid, before anything is written."""

import json
import shutil

from program import SOURCE, Case, tree


class RefusedSettings(Case):
    def setUp(self):
        super().setUp()
        self.shop = self.project(3, "shop")
        self.config = self.room / "config"
        shutil.copytree(SOURCE / "config", self.config)
        self.env = lambda server=None, key="": dict(super(RefusedSettings, self).env(server, key),
                                                    COHORT_CONFIG_DIR=str(self.config))

    def refused(self, file, keys, value, words, arguments=()):
        path = self.config / file
        intact = path.read_text()
        content = json.loads(intact)
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        path.write_text(json.dumps(content))
        before = tree(self.shop, times=True)
        ended = self.batch(self.shop, "--provider", "simulator", "--force", *arguments)
        path.write_text(intact)
        self.ends(ended, 2)
        for word in (str(path), f'"{keys[-1]}"', *words):
            self.assertIn(word, ended.err)
        self.assertEqual(tree(self.shop, times=True), before, "something was written")

    NUMBERS = [("settings", "concurrent", "1 to 10000"), ("settings", "timeout_seconds", "1 to 604800"),
               ("settings", "min_complexity", "1 to 10"), ("settings", "batch_size", "1 to 50"),
               ("settings", "parallel_batches", "1 to 1000"), ("retries", "after_unconfirmed", "0 to 20"),
               ("retries", "after_worker_lost", "0 to 100"), (None, "overloaded_model_rest_ms", "0 to 3600000"),
               ("retries", "after_cut_off", "0 to 20"), ("retries", "most_output_tokens", "1 to 128000"),
               ("retries", "pause_ms", "0 to 60000"), (None, "ballast_bytes", "0 to 1073741824"),
               (None, "grace_seconds", "0 to 604800")]

    def test_numbers_of_the_defaults(self):
        for group, key, valid in self.NUMBERS:
            for value in (-1, 1.5, "3", None, [], True, 10**18, 10**30):
                with self.subTest(key=key, value=value):
                    self.refused("defaults.json", ["run", group, key] if group else ["run", key], value, [valid])

    PLANNING = [(["planning", "max_prompt_bytes"], "1 to 33554432"), (["planning", "max_units_per_part"], "1 to 10000"),
                (["estimates", "max_max_tokens"], "1 to 16000"), (["estimates", "low_output_percent"], "1 to 100"),
                (["estimates", "output_percent_by_effort", "high"], "1 to 10000"), (["batches", "auto_min_size"], "1 to 50")]

    def test_numbers_that_planning_goes_by(self):
        for keys, valid in self.PLANNING:
            for value in (-1, 0, 1.5, "3", None, [], True, 10**18, 10**30):
                with self.subTest(keys=keys, value=value):
                    self.refused("defaults.json", keys, value, [valid])
        for keys in (["planning", "max_bytes"], ["estimates", "tokens"], ["batches", "size"],
                     ["estimates", "output_percent_by_effort", "extreme"]):
            with self.subTest(keys=keys):
                self.refused("defaults.json", keys, 5, ["not known"])
        for keys in (["planning"], ["estimates"], ["batches"], ["estimates", "output_percent_by_effort"]):
            for value in ([], 5, "x", None):
                with self.subTest(keys=keys, value=value):
                    self.refused("defaults.json", keys, value, ["must be an object"])

    def test_texts_of_the_defaults(self):
        for group, key, values, valid in (("settings", "model", ["", 3, None], "not empty"),
                                          ("settings", "effort", ["extreme", "", 3], "low, medium, high"),
                                          ("settings", "output_directory", ["", {}], "not empty"),
                                          ("settings", "cost_limit", ["0", "-1", 2.0, "much"], '"2.00"'),
                                          ("settings", "budget", ["0", "1e9", 5], '"2.00"'),
                                          ("settings", "on_limit", ["never", "", 1], "stop, next, warn"),
                                          (None, "prompt_cache", ["2m", "", 5, None], "none, 5m, 1h")):
            for value in values:
                with self.subTest(key=key, value=value):
                    self.refused("defaults.json", ["run", group, key] if group else ["run", key], value, [valid])

    def test_unknown_keys_of_the_defaults(self):
        self.refused("defaults.json", ["run", "grace_second"], 5, ["not known", "grace_seconds"])
        self.refused("defaults.json", ["run", "settings", "timeout"], 5, ["not known", "timeout_seconds"])
        self.refused("defaults.json", ["run", "retries", "after_all"], 5, ["not known", "after_refused"])

    def test_groups_that_are_no_objects(self):
        for keys in (["run"], ["run", "settings"], ["run", "retries"]):
            for value in ([], 5, "x", None, [["concurrent", 3]]):
                with self.subTest(keys=keys, value=value):
                    self.refused("defaults.json", keys, value, ["must be an object"])

    def test_templates(self):
        for key, value, valid in (("concurrent", 0, "1 to 10000"), ("batch_size", "big", '"auto"'), ("batch_size", 51, "1 to 50"),
                                  ("effort", "maximal", "low, medium, high"), ("budget", 5, '"2.00"'),
                                  ("model", "", "not empty"), ("max_batches", 1, "not known"), ("timeout_seconds", -3, "604800")):
            with self.subTest(key=key, value=value):
                self.refused("templates/trial.json", [key], value, [valid], ["--template", "trial"])

    def test_what_is_there_is_fine(self):
        for template in (self.config / "templates").iterdir():
            ended = self.batch(self.shop, "--dry-run", "--template", template.stem)
            self.ends(ended, 0)

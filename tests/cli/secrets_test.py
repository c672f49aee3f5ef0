"""A credential reaches no file, no output and no command line."""


import pathlib

from program import STATE, Case

KEY = "sk-ant-distinctive-9f27c1d04b6e83aa"


class Secrets(Case):
    def test_the_key_appears_nowhere(self):
        shop = self.bookshop()
        server = self.simulator("faults.overloaded=0.1", "faults.server_error=0.1", "faults.truncated=0.1",
                                "faults.reset_after_billing=0.1", "answers.refusal=0.1", "answers.chatty=0.2",
                                "latency.fixed_ms=10")
        run = self.start_with(shop, server)
        command_line = pathlib.Path(f"/proc/{run.pid}/cmdline").read_bytes()
        ended = self.finish(run)
        self.assertIn(ended.code, (0, 3), ended)
        self.assertNotIn(KEY, ended.out + ended.err)
        self.assertNotIn(KEY.encode(), command_line)
        self.nowhere(shop)
        refused = self.batch(shop, "--force", "-v", server=self.simulator('keys.refused_prefixes=["sk-ant-dist"]'), key=KEY)
        self.assertNotIn(KEY, refused.out + refused.err)
        self.nowhere(shop)
        malformed = self.batch(shop, "-v", server=server, key=KEY + " with a space")
        self.ends(malformed, 2)
        self.assertNotIn(KEY, malformed.out + malformed.err)

    def start_with(self, shop, server):
        import subprocess
        from program import PROGRAM
        process = subprocess.Popen([PROGRAM, "generate-logical-batch", shop, "-v", "-o", self.room / "reports"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env(server, KEY))
        self.started.append(process)
        return process

    def nowhere(self, shop):
        looked = 0
        for folder in (shop, self.room / "reports"):
            for path in folder.rglob("*"):
                if path.is_file():
                    looked += 1
                    self.assertNotIn(KEY.encode(), path.read_bytes(), path)
        self.assertGreater(looked, 50)
        self.assertTrue((shop / STATE / "logs" / "cohort.log").stat().st_size > 0)

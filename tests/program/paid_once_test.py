"""A delivered test is bought once: nothing but a change of what it tests, or its user's word, makes it be bought again."""

import json
import re
import shutil
import subprocess

from program import PROGRAM, SOURCE, STATE, Bill, Case


class PaidOnce(Case):
    def setUp(self):
        super().setUp()
        self.bill = Bill(self.room / "bill")
        self.shop = self.project(3)
        self.tests = self.shop / STATE / "tests"
        self.generate()
        self.first = len(self.bill.lines())
        self.assertEqual(self.first, 3)

    def generate(self, *arguments, project=None, **more):
        ended = self.batch(project or self.shop, "--provider", "simulator", "--force", "--bill", self.bill.path, *arguments, **more)
        self.ends(ended, 0)
        return ended

    def bought(self, *arguments, **more):
        before = len(self.bill.lines())
        self.said = self.generate(*arguments, **more)
        return len(self.bill.lines()) - before

    def test_other_settings_are_no_reason(self):
        for how in (["-m", "haiku"], ["--effort", "low"], ["-b", "1"], ["--tests-dir", "elsewhere"], ["--budget", "5"], []):
            with self.subTest(how=how):
                self.assertEqual(self.bought(*how), 0)
        self.assertIn("--regenerate", self.said.err)

    def test_another_version_of_the_prompts_is_no_reason(self):
        config = self.room / "config"
        shutil.copytree(SOURCE / "config", config)
        prompts = json.loads((config / "prompts" / "prompts.json").read_text())
        prompts["version"] += 1
        (config / "prompts" / "prompts.json").write_text(json.dumps(prompts))
        before = len(self.bill.lines())
        env = dict(self.env(None), COHORT_CONFIG_DIR=str(config))
        subprocess.run([PROGRAM, "generate-logical-batch", self.shop, "--provider", "simulator", "--force", "--bill",
                        self.bill.path], env=env, check=True, capture_output=True, timeout=60)
        self.assertEqual(len(self.bill.lines()), before)

    def test_line_endings_blank_space_and_a_change_elsewhere_in_the_file_are_no_reason(self):
        source = self.shop / "unit_001.py"
        text = source.read_text()
        for changed in (text.replace("\n", "\r\n"), text.replace("\n", "  \n"), "# a licence\n\n" + text, text + "\n\nLIMIT = 5\n"):
            source.write_bytes(changed.encode())
            self.assertEqual(self.bought(), 0)

    def test_a_source_that_moved_keeps_its_test(self):
        (self.shop / "deeper").mkdir()
        (self.shop / "unit_001.py").rename(self.shop / "deeper" / "unit_001.py")
        self.assertEqual(self.bought(), 0)

    def test_a_copy_is_work_of_its_own(self):
        (self.shop / "deeper").mkdir()
        shutil.copy(self.shop / "unit_001.py", self.shop / "deeper" / "unit_001.py")
        self.assertEqual(self.bought(), 1)

    def test_what_changed_is_asked_for_and_what_is_tested_stays_tested(self):
        source = self.shop / "unit_001.py"
        before = {path: path.read_text() for path in self.tests.rglob("test_*.py")}
        source.write_text(source.read_text() + "\n\ndef added(a, b):\n    if a:\n        return b\n    return a\n")
        self.assertEqual(self.bought(), 1)
        changed = [path for path, text in before.items() if path.read_text() != text]
        self.assertEqual(len(changed), 1)
        text = changed[0].read_text()
        self.assertIn("added", text)
        for name in re.findall(r"^def (test_\w+)", before[changed[0]], re.M):
            self.assertIn(name, text)

    def test_its_user_can_have_it_made_anew(self):
        self.assertEqual(self.bought("--regenerate=unit_001.py"), 1)
        self.assertEqual(self.bought("--regenerate"), 3)
        self.assertEqual(self.bought(), 0)

    def test_a_dry_run_says_the_same(self):
        ended = self.batch(self.shop, "--provider", "simulator", "--force", "--dry-run", "--json", "-m", "haiku")
        self.ends(ended, 0)
        plan = next(event for event in map(json.loads, ended.out.splitlines()) if event["event"] == "plan")
        self.assertEqual((plan["tasks"], plan["deliveredBefore"]), (0, 3))

    def test_tests_that_are_committed_belong_to_a_clone(self):
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
        for command in (["init", "-q", "."], ["add", "-A"], ["commit", "-qm", "x"]):
            subprocess.run([*git, *command], cwd=self.shop, check=True)
        clone = self.room / "clone"
        subprocess.run([*git, "clone", "-q", self.shop, clone], check=True)
        self.assertTrue((clone / STATE / "tests").is_dir())
        self.assertEqual(self.bought(project=clone), 0)

"""--tests-dir may name a folder of the user's own: what is in it stays what it is, and only generated files are generated."""

import json
import shutil

from program import STATE, Bill, Case, module_text, tree

SIMULATED = ("--provider", "simulator")


class TestsDir(Case):
    def setUp(self):
        super().setUp()
        self.bill = Bill(self.room / "bill")
        self.shop = self.project(0)
        for name in ("alpha", "beta", "gamma"):
            self.write(f"src/{name}.py", module_text(name))
        self.write("tests/test_alpha.py", "from alpha import alpha_rule_0, alpha_rule_1, alpha_rule_2\n\n"
                   "def test_rules():\n    assert alpha_rule_0(1) + alpha_rule_1(1) + alpha_rule_2(1) is not None\n")
        self.before = tree(self.shop)

    def write(self, path, text):
        file = self.shop / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def run_into(self, folder):
        self.ends(self.batch(self.shop, *SIMULATED, "--bill", self.bill.path, "--force", "--tests-dir", folder), 0)

    def gaps(self):
        """What analyze-gaps lists; it writes nothing."""
        before = tree(self.shop, times=True)
        ended = self.cohort("analyze-gaps", self.shop, "-f", "json", "-t", "1")
        self.ends(ended, 0)
        self.assertEqual(tree(self.shop, times=True), before, "analyze-gaps wrote")
        return [gap["path"] for gap in json.loads(ended.out)["gaps"]]

    def planned(self, *arguments):
        """What a dry run would ask for; it writes nothing."""
        before = tree(self.shop, times=True)
        ended = self.batch(self.shop, "--dry-run", "--json", *arguments)
        self.ends(ended, 0)
        self.assertEqual(tree(self.shop, times=True), before, "a dry run wrote")
        plan = json.loads(ended.out.splitlines()[-1])
        return plan["files"], sorted(source for batch in plan["batches"] for source in batch["sources"])

    def delivered(self):
        return {name for name in tree(self.shop, without=[STATE]) if name not in self.before and name.endswith(b".py")}

    def check_second_run(self, folder):
        """Nothing that was generated counts, as a source or as a test, now or later; nothing is asked twice."""
        asked = len(self.bill.lines())
        self.assertEqual(self.gaps(), ["src/beta.py", "src/gamma.py"])
        for where in (folder, f"{STATE}/tests", "elsewhere"):
            files, sources = self.planned("--tests-dir", where)
            self.assertEqual((files["sources"], files["tests"], files["withGaps"]), (3, 1, 2), where)
        self.run_into(folder)
        self.assertEqual(len(self.bill.lines()), asked, "something was asked again")

    def test_user_tests_in_the_folder_still_count(self):
        files, sources = self.planned("--tests-dir", "tests")
        self.assertEqual((files["tests"], files["fullyTested"], sources), (1, 1, ["src/beta.py", "src/gamma.py"]))
        self.run_into("tests")
        self.assertEqual(len(self.delivered()), 2)
        self.assertTrue(all(name.startswith(b"tests/") for name in self.delivered()), self.delivered())
        self.assertEqual({k: v for k, v in tree(self.shop, without=[STATE]).items() if k in self.before and k.endswith(b".py")},
                         {k: v for k, v in self.before.items() if k.endswith(b".py")}, "a file of the user's changed")
        self.check_second_run("tests")

    def test_user_sources_in_the_folder_are_planned(self):
        _, sources = self.planned("--tests-dir", "src")
        self.assertEqual(sources, ["src/beta.py", "src/gamma.py"])
        self.run_into("src")
        self.assertEqual(len(self.delivered()), 2)
        self.check_second_run("src")

    def test_a_folder_by_its_whole_name_or_by_a_link_is_the_same_folder(self):
        self.run_into(self.shop / "tests")
        self.check_second_run(self.shop / "tests")
        shutil.rmtree(self.shop / STATE)
        for name in self.delivered():
            (self.shop / name.decode()).unlink()
        (self.shop / "link").symlink_to("tests")
        self.run_into("link")
        self.assertEqual(len(self.delivered()), 2)
        self.check_second_run("link")

    def test_generated_tests_stay_generated_after_a_clean(self):
        self.run_into("tests")
        self.ends(self.batch(self.shop, "--clean"), 0)
        self.assertEqual(self.gaps(), ["src/beta.py", "src/gamma.py"])
        self.assertEqual(self.planned("--tests-dir", "tests")[1], ["src/beta.py", "src/gamma.py"])

    def test_a_ledger_that_cannot_be_read_is_named(self):
        self.run_into("tests")
        (self.shop / STATE / "ledger.db").write_text("garbage")
        ended = self.cohort("analyze-gaps", self.shop, "-t", "1")
        self.ends(ended, 0)
        self.assertIn("ledger", ended.err)
        self.assertIn("count as yours", ended.err)

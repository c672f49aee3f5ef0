"""Where the settings of a run come from: one answer for a run, a dry run and doctor; and the user's own file."""

import json
import shutil

from program import SOURCE, Book, Case, module_text, tree

OLD, NEW = "claude-sonnet-5-5", "claude-sonnet-6"


class MovedAlias(Case):
    """The price list gives an alias to a new model and drops the old one."""

    def setUp(self):
        super().setUp()
        self.shop = self.project(3, "shop")
        self.config = self.room / "config"
        shutil.copytree(SOURCE / "config", self.config)
        self.server = self.simulator()
        self.env = lambda server=None, key="": dict(super(MovedAlias, self).env(server, key),
                                                    COHORT_CONFIG_DIR=str(self.config))

    def move(self):
        file = self.config / "models.json"
        text = file.read_text()
        self.assertIn(f'"{OLD}"', text)
        file.write_text(text.replace(f'"{OLD}"', f'"{NEW}"'))

    def test_after_a_finished_run_the_alias_means_the_new_model(self):
        self.ends(self.batch(self.shop, "--force", server=self.server), 0)
        self.move()
        (self.shop / "unit_009.py").write_text(module_text("unit_009"))
        planned = self.batch(self.shop, "--dry-run", "--force")
        self.ends(planned, 0)
        self.assertIn(NEW, planned.out)
        ended = self.batch(self.shop, "--provider", "simulator", "--force")
        self.ends(ended, 0)
        with Book(self.shop) as book:
            self.assertEqual(book.one("SELECT model_id FROM run ORDER BY id DESC LIMIT 1"), NEW)
        self.assertIn(NEW, self.cohort("doctor", self.shop, "--provider", "simulator").out)

    def test_an_unfinished_run_keeps_its_model_and_dry_run_and_run_agree(self):
        self.batch(self.shop, "--max-batches", "1", "-b", "1", "--force", server=self.server)
        with Book(self.shop) as book:
            self.assertNotEqual(book.one("SELECT status FROM run ORDER BY id DESC LIMIT 1"), 3)
        self.move()
        before = tree(self.shop)
        for arguments in (["--dry-run"], []):
            ended = self.batch(self.shop, "--force", *arguments, server=self.server)
            self.ends(ended, 2)
            self.assertIn(OLD, ended.err)
        self.assertEqual(tree(self.shop), before)
        # Who names the new model gets another plan.
        self.ends(self.batch(self.shop, "--dry-run", "-m", NEW), 0)


class UsersFile(Case):
    def setUp(self):
        super().setUp()
        self.shop = self.project(3, "shop")
        self.mine = self.room / "mine"
        (self.mine / "cohort").mkdir(parents=True)
        self.env = lambda server=None, key="": dict(super(UsersFile, self).env(server, key),
                                                    XDG_CONFIG_HOME=str(self.mine))

    def write(self, **settings):
        (self.mine / "cohort" / "config.json").write_text(json.dumps(settings))

    def plan(self, *arguments):
        ended = self.batch(self.shop, "--dry-run", "--json", *arguments)
        self.ends(ended, 0)
        return json.loads(ended.out.splitlines()[-1])

    def test_its_settings_stand_between_the_defaults_and_what_is_asked_for(self):
        self.write(comment="mine", model="haiku", batch_size=1)
        plan = self.plan()
        self.assertIn("haiku", plan["model"])
        self.assertEqual(len(plan["batches"]), 3)
        self.assertEqual(len(self.plan("-b", "2")["batches"]), 2)
        self.assertIn("opus", self.plan("--template", "hard-files", "--min-complexity", "1")["model"])

    def test_an_unfinished_run_goes_on_with_what_is_stored(self):
        server = self.simulator()
        self.batch(self.shop, "-b", "1", "--max-batches", "1", "--force", server=server)
        self.write(model="haiku", batch_size=3)
        ended = self.batch(self.shop, "--dry-run")
        self.ends(ended, 0)
        self.assertIn("is not finished", ended.out)

    def test_what_it_cannot_say_is_refused_before_anything_is_written(self):
        before = tree(self.shop, times=True)
        for settings, words in (({"modell": "haiku"}, '"modell" is not known'),
                                ({"output_directory": "/tmp"}, '"output_directory" is not known'),
                                ({"concurrent": 0}, "1 to 10000"), ({"budget": 5}, '"2.00"')):
            with self.subTest(settings=settings):
                self.write(**settings)
                for command in (["generate-logical-batch", self.shop, "--provider", "simulator", "--force"],
                                ["generate-logical", self.shop, "--dry-run"], ["doctor", self.shop]):
                    ended = self.cohort(*command)
                    self.ends(ended, 2)
                    self.assertIn(words, ended.err + ended.out)
                    self.assertIn(str(self.mine / "cohort" / "config.json"), ended.err + ended.out)
        self.assertEqual(tree(self.shop, times=True), before)

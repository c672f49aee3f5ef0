"""A module in Go: the tests that a run delivers are compiled and passed by the go tool itself."""

import os
import pathlib
import shutil
import subprocess

from program import PROGRAM, STATE, Case

MODULE = pathlib.Path(__file__).with_name("go_module")


class Module(Case):
    def setUp(self):
        super().setUp()
        self.module = self.room / "shop"
        shutil.copytree(MODULE, self.module)

    def go(self, *arguments):
        """The go tool without a network; what it compiled is kept beside the program for the next time."""
        cache = pathlib.Path(PROGRAM).parent / "go-cache"
        settings = {"GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOCACHE": str(cache)}
        return subprocess.run(["go", *arguments], cwd=self.module, env={**self.env(), **settings}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=110, check=False)

    def test_delivers_tests_that_go_compiles_and_passes(self):
        ended = self.batch(self.module, "--provider", "simulator", "--min-complexity", "1", "--force")
        self.ends(ended, 0)
        tests = sorted((self.module / STATE / "tests").rglob("*_test.go"))
        self.assertEqual(sorted(path.name for path in tests),
                         ["entries_test.go", "money_test.go", "paging_test.go", "stack_test.go"])
        folders = ["./" + os.path.relpath(path.parent, self.module) for path in tests]
        vetted = self.go("vet", *folders)
        self.assertEqual(vetted.returncode, 0, vetted.stdout)
        passed = self.go("test", "-v", *folders)
        self.assertEqual(passed.returncode, 0, passed.stdout)
        self.assertGreaterEqual(passed.stdout.count("--- PASS"), len(tests), passed.stdout)

    def gaps(self):
        found = self.cohort("analyze-gaps", self.module, "-f", "json", "-t", "1")
        self.ends(found, 0)
        return found.out

    def test_a_tested_symbol_has_no_gap(self):
        self.assertIn("Counter", self.gaps())
        (self.module / "stack" / "stack_test.go").write_text(
            'package stack_test\n\nimport (\n\t"testing"\n\n\t"example.com/shop/stack"\n)\n\n'
            "func TestAdd(t *testing.T) {\n\tvar c stack.Counter\n\tif c.Add(\"a\") != 1 {\n\t\tt.Fatal()\n\t}\n}\n\n"
            "func TestNew(t *testing.T) {\n\ts := stack.New[int]()\n\ts.Push(1)\n\ts.Pop()\n}\n")
        gaps = self.gaps()
        self.assertIn("money/money.go", gaps)
        self.assertNotIn("Counter", gaps)

"""The faults for campaigns are in their own build of the program, and not in the program."""

import pathlib
import signal
import subprocess

from program import FAULTY, PROGRAM, Case

MARKS = (b"COHORT_FAULT", b"commit.applied", b"ledger.torn_write", b"pass_fault_point")


class Faults(Case):
    def killed_by(self, program):
        server = self.simulator()
        env = dict(self.env(server), COHORT_FAULT="commit.applied:1")
        done = subprocess.run([program, "generate-logical-batch", self.bookshop(pathlib.Path(program).name)], env=env,
                              capture_output=True, timeout=60)
        return done.returncode

    def test_the_program_has_no_faults_on_demand(self):
        content = pathlib.Path(PROGRAM).read_bytes()
        self.assertEqual([mark for mark in MARKS if mark in content], [])
        self.assertEqual(self.killed_by(PROGRAM), 0)

    def test_the_build_with_faults_has_them(self):
        content = pathlib.Path(FAULTY).read_bytes()
        self.assertEqual([mark for mark in MARKS if mark not in content], [])
        self.assertEqual(self.killed_by(FAULTY), -signal.SIGKILL)

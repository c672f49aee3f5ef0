"""A full disk stops the run with what is paid still in hand, and says so."""

import shutil
import subprocess

from program import STATE, Book, Case


class FullDisk(Case):
    def mounted(self, size):
        place = self.room / "small"
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest("mounting a small tmpfs is not permitted here: " + done.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", str(place)], capture_output=True)
        return place

    def test_it_stops_says_so_and_goes_on_when_there_is_space(self):
        place = self.mounted("24m")
        shop = place / "shop"
        shutil.copytree(self.bookshop(), shop)
        server = self.simulator("latency.fixed_ms=120")
        run = self.start("generate-logical-batch", shop, "-c", "4", server=server)
        self.until(lambda: len(server.bill.lines()) >= 8, "the 8th request")
        with open(place / "filler", "wb", buffering=0) as filler:
            for block in (1 << 20, 1 << 12):
                try:
                    while True:
                        filler.write(b"\1" * block)
                except OSError:
                    pass
        ended = self.finish(run)
        self.ends(ended, 1)
        self.assertRegex(ended.err, "(?i)disk|space")
        self.assertLess(len(server.bill.lines()), 39)
        (place / "filler").unlink()
        with Book(shop) as book:
            stored = book.answered_prompts()
            self.assertGreaterEqual(book.charged(), server.bill.nanos())
            self.assertEqual(len(stored), len(server.bill.lines()), "a paid answer is not on disk")
        asked = len(server.bill.lines())
        self.ends(self.batch(shop, "-c", "4", server=server), 0)
        self.assertEqual(stored & set(server.bill.prompts()[asked:]), set())
        self.assertEqual(self.view(shop)["completedTasks"], 39)
        self.unlocked(shop)

    def test_a_disk_that_is_full_from_the_start_is_refused_before_anything_is_asked(self):
        place = self.mounted("2m")
        shop = place / "shop"
        shutil.copytree(self.bookshop(), shop)
        server = self.simulator()
        ended = self.batch(shop, server=server)
        self.ends(ended, 1)
        self.assertRegex(ended.err, "(?i)disk|space")
        self.assertEqual(server.bill.lines(), [])

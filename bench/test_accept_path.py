"""The accept path costs the same instructions with nobody banned and with a million."""
import importlib.machinery
import importlib.util
import pathlib
import shutil
import sys
import unittest

sys.dont_write_bytecode = True
FILE = str(pathlib.Path(__file__).resolve().parent / "accept_path")


def load():
    loader = importlib.machinery.SourceFileLoader("accept_path", FILE)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("accept_path", loader))
    loader.exec_module(module)
    return module


@unittest.skipUnless(shutil.which("valgrind"), "no valgrind here")
class AcceptPath(unittest.TestCase):
    def test_it_costs_the_same_whoever_is_banned(self):
        self.assertEqual(load().main(), 0)


if __name__ == "__main__":
    unittest.main()

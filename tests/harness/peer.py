"""A real program beside the gateway: ends with the test that started it, asked by its own process id."""


class Peer:
    """What starts a program puts it into `_process`, and the file of its output into `_log`."""

    @property
    def log(self):
        return self._log.read_text(errors="replace")

    def stop(self):
        self._process.terminate()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

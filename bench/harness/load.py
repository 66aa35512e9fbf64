"""Runs bench_load, the generator: once through, or phase by phase with something done between."""

import json
import subprocess

from . import machine


class Load:
    def __init__(self, program, realtime, patience):
        """patience: seconds until what does not come counts as lost."""
        self._program = program
        self._patience = patience
        self._realtime = realtime

    def run(self, relay, arguments, between=None, limit=90.0):
        """The generator's report.

        between: {phase: function}, called while the generator rests there.
        """
        port = relay.tls_port if "tls" in arguments else relay.port
        core = machine.GENERATOR_CORE if relay.setup.workers == 1 else None
        words = {"target": f"{relay.address}:{port}", "backend": f"127.0.0.1:{relay.backend}",
                 "patience": self._patience, **arguments}
        if core in machine.CORES:
            words["cpu"] = core
        if relay.pids:
            words["watch"] = ",".join(map(str, relay.pids))
        if between:
            words["step"] = "yes"
        command = [str(self._program), *(f"{name}={value}" for name, value in words.items())]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   preexec_fn=machine.child_setup(core, self._realtime))
        try:
            with machine.alarm(limit, "the generator did not end in time"):
                report = self._converse(process, between or {})
                process.wait()
        finally:
            machine.stop(process, [])
        if report is None:
            raise RuntimeError(f"bench_load failed with status {process.returncode}")
        return report

    @staticmethod
    def _converse(process, between):
        for line in process.stdout:
            told = json.loads(line)
            if "phase" not in told:
                return told
            if told["phase"] in between:
                between[told["phase"]]()
            process.stdin.write("\n")
            process.stdin.flush()
        return None

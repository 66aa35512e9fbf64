"""Runs bench_load, the generator: once through, or phase by phase with something done between."""

import json
import subprocess

from . import machine


class Load:
    def __init__(self, program, realtime):
        self._program = program
        self._realtime = realtime

    def run(self, relay, arguments, between=None, limit=30.0):
        """The generator's report.

        between: {phase: function}, called while the generator rests there.
        """
        port = relay.tls_port if "tls" in arguments else relay.port
        words = {"target": f"127.0.0.1:{port}", "backend": f"127.0.0.1:{relay.backend}",
                 "cpu": machine.GENERATOR_CORE, **arguments}
        if machine.GENERATOR_CORE not in machine.CORES:
            del words["cpu"]
        if relay.pids:
            words["watch"] = ",".join(map(str, relay.pids))
        if between:
            words["step"] = "yes"
        command = [str(self._program), *(f"{name}={value}" for name, value in words.items())]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   preexec_fn=machine.child_setup(machine.GENERATOR_CORE, self._realtime))
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

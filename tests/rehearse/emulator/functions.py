"""Functions: how events start them, what they are told, and a note of each run and of each line they log.

Invariant: a function is run as the template says, as often as Lambda would run it, whatever MiniStack would forget.
"""

import http.server
import json
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import IO, Any

from hooks import Context, Journal, hook
from ministack.core import lambda_runtime
from ministack.services import eventbridge, lambda_svc

# Whether an event started what runs.
BY_EVENT: ContextVar[bool] = ContextVar("by_event", default=False)


def with_journal_of_functions(journal: Journal) -> None:
    """Notes when a function begins and ends, how it ended, and each line it logs."""

    def run(original: Callable[..., Any]) -> Callable[..., Any]:
        def ran(func: Context, config: Context, event: Any, request: str, started: float) -> Any:
            function = config["FunctionName"]
            journal.write(kind="begin", function=function, request=request)
            result = original(func, config, event, request, started)
            failed = bool(result.get("error"))
            journal.write(kind="end", function=function, request=request, failed=failed,
                          answer=result.get("body") if failed else None)
            return result

        return ran

    def pump(original: Callable[..., None]) -> Callable[..., None]:
        def pumped(worker: Any, stream: IO[bytes], lines: Any) -> None:
            original(worker, Logged(stream, journal, worker.func_name), lines)

        return pumped

    def environment(original: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
        def of(config: Context, *others: Any) -> dict[str, str]:
            # Lambda tells a function in which form it shall log, and how much; MiniStack does not.
            logging = config.get("LoggingConfig", {})
            told = {"AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text")}
            if level := logging.get("ApplicationLogLevel"):
                told["AWS_LAMBDA_LOG_LEVEL"] = level
            return {**original(config, *others), **told}

        return of

    hook(lambda_svc, "_execute_function_dispatch", run)
    hook(lambda_svc, "_provided_worker_env", environment)
    hook(lambda_runtime.ProvidedWorker, "_pump_output", pump)


class Logged:
    """A function's output, noted line by line as it comes."""

    def __init__(self, stream: IO[bytes], journal: Journal, function: str) -> None:
        self.stream, self.journal, self.function = stream, journal, function

    def readline(self) -> bytes:
        """The next line; empty at the end."""
        line = self.stream.readline()
        if line.strip():
            self.journal.write(kind="log", function=self.function, text=line.decode(errors="replace").strip())
        return line

    def close(self) -> None:
        """Ends it."""
        self.stream.close()


def with_events_that_wait() -> None:
    """A rule invokes asynchronously, as the function's configuration says; MiniStack's tries once, and forgets it.

    An event whose function is at its limit waits, on AWS for hours; MiniStack takes that for a failed try.
    """

    def dispatch(original: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def dispatched(arn: str, payload: str) -> None:
            function, config, _ = lambda_svc._get_func_record_for_ref(arn)
            if not function:
                original(arn, payload)
                return
            record = lambda_svc._execution_record_for_config(function, config)
            lambda_svc.invoke_async_with_retry(record, json.loads(payload))

        return dispatched

    def by_event(original: Callable[..., None]) -> Callable[..., None]:
        def started(*asked: Any) -> None:
            token = BY_EVENT.set(True)
            try:
                original(*asked)
            finally:
                BY_EVENT.reset(token)

        return started

    def patient(original: Callable[..., Context]) -> Callable[..., Context]:
        def ran(*asked: Any) -> Context:
            result = original(*asked)
            while BY_EVENT.get() and result.get("throttle"):
                time.sleep(0.02)
                result = original(*asked)
            return result

        return ran

    hook(eventbridge, "_dispatch_to_lambda", dispatch)
    hook(lambda_svc, "invoke_async_with_retry", by_event)
    hook(lambda_svc, "_execute_function", patient)


def with_quick_answers() -> None:
    """Leaves out two waits of MiniStack, most of a call's 100 ms: Nagle's, and one for logs (see `Logged`)."""
    http.server.BaseHTTPRequestHandler.disable_nagle_algorithm = True

    def drain(original: Callable[..., str]) -> Callable[..., str]:
        def drained(worker: Any, first_line_wait: float = 0, idle_confirm: float = 0) -> str:
            return original(worker, first_line_wait, idle_confirm)

        return drained

    hook(lambda_runtime.ProvidedWorker, "_drain_stderr_bounded", drain)

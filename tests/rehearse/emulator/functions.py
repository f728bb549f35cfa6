"""Functions: how events invoke them, their environment, and a journal of every run and every line they log.

Invariant: a function runs as the template says, and is retried as often as on Lambda, even where MiniStack would not.
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

# Whether the running function was invoked by an event.
BY_EVENT: ContextVar[bool] = ContextVar("by_event", default=False)


def with_journal_of_functions(journal: Journal) -> None:
    """Notes the beginning, the end and the outcome of each run of a function, and each line it logs."""

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
            # Lambda tells a function in which format and how much to log; MiniStack does not.
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
    """The output of a function, which is added to the journal line by line."""

    def __init__(self, stream: IO[bytes], journal: Journal, function: str) -> None:
        self.stream, self.journal, self.function = stream, journal, function

    def readline(self) -> bytes:
        """The next line; empty at the end."""
        line = self.stream.readline()
        if line.strip():
            self.journal.write(kind="log", function=self.function, text=line.decode(errors="replace").strip())
        return line

    def close(self) -> None:
        """Closes the stream."""
        self.stream.close()


def with_events_that_wait() -> None:
    """Makes a rule invoke a function asynchronously, with its retries; MiniStack tries once, then drops the event.

    An event waits while its function is at its concurrency limit, on AWS for hours; MiniStack would count a failed try.
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
    """Removes two delays that make up most of a call's 100 ms: Nagle's algorithm, and a wait for logs (`Logged`)."""
    http.server.BaseHTTPRequestHandler.disable_nagle_algorithm = True

    def drain(original: Callable[..., str]) -> Callable[..., str]:
        def drained(worker: Any, first_line_wait: float = 0, idle_confirm: float = 0) -> str:
            return original(worker, first_line_wait, idle_confirm)

        return drained

    hook(lambda_runtime.ProvidedWorker, "_drain_stderr_bounded", drain)

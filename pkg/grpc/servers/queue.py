"""gRPC's queue of what has ended, read by the event loop."""

import asyncio
import threading

import structlog

from pkg.grpc.servers import core

logger = structlog.get_logger()

# How many events are handled before the rest of the loop has its turn.
EVENTS_PER_PASS = 128
# How often in a row the loop finds nothing before it leaves the waiting to the thread.
EMPTY_PASSES_MAX = 2


class Queue:
    """A completion queue.

    Under load the loop looks into it by itself, once a pass, which is four times as cheap as being
    woken for every event. Only when there is nothing to do, a thread waits in it.

    One of the two has the queue at any time. The thread takes a single event, hands it to the loop
    and the queue with it; the loop hands the queue back when it has found nothing for some passes.
    What comes meanwhile stays in the queue for whoever has it, so nothing is missed.
    """

    def __init__(self) -> None:
        self.core = core.CompletionQueue()
        self.is_open = False
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Future[None]
        self._empty_passes = 0
        # Taken by the thread before it waits in the queue, and released by the loop.
        self._handed_over = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._wait, name="grpc-queue", daemon=True)

    def open(self) -> None:
        """Begin to handle what ends."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self.is_open = True
        self._thread.start()
        self._handed_over.release()

    async def close(self) -> None:
        """Handle what is still to end, and close. No operation may begin from here on."""
        self.is_open = False
        self.core.shutdown()
        await self._ended
        self._thread.join()

    def _wait(self) -> None:
        """Wait for events, in the thread."""
        while True:
            self._handed_over.acquire()
            if self._ended.done():
                return
            event: core.Event = self.core.poll()
            is_last = event.completion_type == core.SHUTDOWN
            try:
                self._loop.call_soon_threadsafe(self._woken, event)
            except RuntimeError:  # the loop was closed, and nobody is there to serve
                return
            # Not to hold a call, whose end this thread would then wait for.
            del event
            if is_last:
                return

    def _woken(self, event: core.Event) -> None:
        if event.completion_type == core.SHUTDOWN:
            self._ended.set_result(None)
            return
        self._handle(event)
        self._look()

    def _look(self) -> None:
        """Handle what has ended, some of it; then look again, or leave that to the thread."""
        poll, timeout = self.core.poll, core.TIMEOUT
        handled = 0
        while handled < EVENTS_PER_PASS:
            event: core.Event = poll(deadline=0)
            if event.completion_type == timeout:
                break
            if event.completion_type == core.SHUTDOWN:
                self._ended.set_result(None)
                self._handed_over.release()  # for the thread to end
                return
            handled += 1
            self._handle(event)
        self._empty_passes = 0 if handled else self._empty_passes + 1
        if self._empty_passes < EMPTY_PASSES_MAX:
            self._loop.call_soon(self._look)
        else:
            self._empty_passes = 0
            self._handed_over.release()

    @staticmethod
    def _handle(event: core.Event) -> None:
        try:
            event.tag(event)
        except Exception:
            # A fault of ours: the one call may be lost, the queue must not be.
            logger.exception("an event of gRPC could not be handled")

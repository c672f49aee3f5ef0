"""A Messages API whose every answer a test makes up, well-formed or not."""

import http.server
import json
import socketserver
import threading

TEST = "```python\ndef test_a():\n    assert True\n```\n"


def answer_for(word):
    """A test file that says `word`."""
    return TEST.replace("True", repr(word))


def message(text=TEST, usage=None, **more):
    """A whole message, as bytes."""
    body = {"id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-5-5", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": text}], "usage": usage or {"input_tokens": 900, "output_tokens": 300}}
    body.update(more)
    return json.dumps(body).encode()


class Server:
    """`reply(request, number)` gives status, headers and body; the body may be an iterable of pieces without a length."""

    def __init__(self, reply):
        self.requests = 0
        outer, lock = self, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.do_POST()

            def do_POST(self):
                self.content = self.rfile.read(int(self.headers.get("content-length") or 0))
                with lock:
                    outer.requests += 1
                    number = outer.requests
                status, headers, body = reply(self, number)
                try:
                    self.answer(status, headers, body)
                except OSError:
                    self.close_connection = True

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if isinstance(body, bytes):
                    self.send_header("content-length", str(len(body)))
                    body = [body]
                else:
                    self.send_header("connection", "close")
                    self.close_connection = True
                self.end_headers()
                for piece in body:
                    self.wfile.write(piece)

        class Threads(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def handle_error(self, *_):
                pass

        self.server = Threads(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

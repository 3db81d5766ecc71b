"""What stands in front of Google Cloud Storage: a service that hands out bearer tokens for a short while, a metadata server,
and a gate that lets nobody through without a token that is valid at that moment."""

import base64
import http.client
import http.server
import json
import secrets
import subprocess
import threading
import time
import urllib.parse

MAILBOX = "bench@project.iam.gserviceaccount.com"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, status, body, content_type="application/json", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        front = self.server.front
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/token":
            return self.answer(*front.token_for(urllib.parse.parse_qs(body.decode())))
        if self.path.startswith("/computeMetadata/"):
            if self.headers.get("Metadata-Flavor") != "Google":
                return self.answer(403, b"", Metadata_Flavor="Google")
            return self.answer(*front.issue(), Metadata_Flavor="Google")
        if not front.lets_in(self.headers.get("Authorization", "")):
            error = {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}
            return self.answer(401, json.dumps({"error": error}).encode())
        return self.pass_on(body)

    do_GET = do_POST = do_DELETE = handle_any

    def pass_on(self, body):
        connection = http.client.HTTPConnection(self.server.front.behind, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "date", "connection"):
                self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    def log_message(self, *_):
        pass


class Front:
    """`with Front("http://127.0.0.1:4443") as front:` the gate in front of that server."""

    def __init__(self, behind, token_seconds):
        self.behind, self.token_seconds = behind.removeprefix("http://"), token_seconds
        self.issued = self.refused = 0
        self._ends = {}  # of each token
        self._public_key = None
        self._lock = threading.Lock()

    def __enter__(self):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.front = self
        self.authority = f"127.0.0.1:{self._server.server_port}"
        self.endpoint = "http://" + self.authority
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def issue(self):
        with self._lock:
            self.issued += 1
            token = f"bearer-{self.issued}-{secrets.token_hex(8)}"
            # A little longer than announced, as a token that is on its way is not refused either.
            self._ends[token] = time.monotonic() + self.token_seconds + 0.5
        return 200, json.dumps({"access_token": token, "expires_in": self.token_seconds, "token_type": "Bearer"}).encode()

    def lets_in(self, authorization):
        with self._lock:
            good = self._ends.get(authorization.removeprefix("Bearer "), 0) > time.monotonic()
            self.refused += not good
            return good

    # ---- service accounts -----------------------------------------------------------------------------------------

    def service_account(self, path, known=True):
        """Writes the JSON key of a service account, which this front knows or not."""
        pem = path.with_suffix(".pem")
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(pem)],
                       check=True, capture_output=True)
        if known:
            self._public_key = path.with_suffix(".pub")
            subprocess.run(["openssl", "pkey", "-in", str(pem), "-pubout", "-out", str(self._public_key)], check=True,
                           capture_output=True)
        path.write_text(json.dumps({"type": "service_account", "client_email": MAILBOX, "private_key_id": "k1",
                                    "private_key": pem.read_text(), "token_uri": self.endpoint + "/token"}))
        return path

    def token_for(self, form):
        """The answer to a signed statement, which OpenSSL's own program checks."""
        if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"] or not self._fits(form["assertion"][0]):
            return 400, json.dumps({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}).encode()
        return self.issue()

    def _fits(self, assertion):
        text, _, signature = assertion.rpartition(".")
        decode = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        claims = json.loads(decode(text.split(".")[1]))
        if claims["iss"] != MAILBOX or claims["aud"] != self.endpoint + "/token" or claims["exp"] < time.time():
            return False
        if self._public_key is None:
            return False
        folder = self._public_key.parent
        (folder / "signature").write_bytes(decode(signature))
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", str(self._public_key), "-signature",
                               str(folder / "signature")], input=text.encode(), capture_output=True, check=False)
        return done.returncode == 0

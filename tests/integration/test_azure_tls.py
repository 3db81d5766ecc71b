#!/usr/bin/env python3
"""Azure Blob storage by TLS, with a certificate of an authority of our own, and with tokens of an identity: the real binary
against Azurite, which looks at a token's times, issuer and audience but at no signature, and against a token service that the
test plays."""

import base64
import http.server
import json
import ssl
import threading
import time
import unittest
import urllib.parse

import azurite
import object_suites
from object_suites import BUCKET

AUDIENCE = "https://storage.azure.com"
SHORT_S = 16  # how long a token lasts that ends during a run: the half of it until it is renewed


def setUpModule():
    azurite.require()
    object_suites.set_up(azurite.Azurite(tls=True))


def token(seconds):
    """A token as Azurite believes it."""
    def part(content):
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"aud": AUDIENCE, "iss": "https://sts.windows.net/tenant/", "iat": now - 10, "nbf": now - 10, "exp": now + seconds,
              "oid": str(time.monotonic_ns())}
    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.c2lnbmVk"


class TokenService:
    """An authority that hands out tokens of `seconds`, and remembers what it was asked for."""

    def __init__(self, server, seconds):
        service = self
        self.asked, self.given, self.seconds = [], [], seconds

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                service.asked.append((self.path, {name: values[0] for name, values in urllib.parse.parse_qs(form).items()}))
                service.given.append(token(service.seconds))
                body = json.dumps({"access_token": service.given[-1], "expires_in": service.seconds, "token_type": "Bearer"})
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.root / "server.pem", server.root / "server.key")
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.http.server_port}"

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class Tls(object_suites.ObjectTest):
    def test_write_read_verify(self):
        done = self.call(*self.run_arguments("object", self.location(), "--verify", "--io-part-size", "8MiB"))
        record = self.assert_passed(done)
        self.assertIn("verified, CA file", json.dumps(record["store"]))
        self.assert_secret_free(done)
        self.assert_no_open_uploads()

    def test_an_unknown_authority_is_refused(self):
        done = self.fails(6, "E601", *self.run_arguments("object", self.location()), AWS_CA_BUNDLE="")
        self.assertIn("AWS_CA_BUNDLE", done.stderr)


class Identities(object_suites.ObjectTest):
    def service(self, seconds):
        service = TokenService(self.server, seconds)
        self.addCleanup(service.stop)
        return service

    def identity(self, service):
        return {"AZURE_STORAGE_KEY": "", "AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "app",
                "AZURE_AUTHORITY_HOST": service.url}

    def assert_no_token_shown(self, service, done):
        for given in service.given:
            self.assertNotIn(given, done.stdout + done.stderr)
            for path in self.results.rglob("*"):
                if path.is_file():
                    self.assertNotIn(given.encode(), path.read_bytes(), path)

    def test_a_workload_identity_whose_token_ends_during_the_run(self):
        service = self.service(SHORT_S)
        proof = self.folder / "federated-token"
        proof.write_text("proof-of-the-cluster\n")
        done = self.call(*self.run_arguments("object", self.location(), "--io-part-size", "4MiB", "--params",
                                             f"checkpoint.time_between_checkpoints={SHORT_S // 2}", write=3, read=1),
                         AZURE_FEDERATED_TOKEN_FILE=str(proof), **self.identity(service))
        self.assertEqual(0, done.status, done)
        path, form = service.asked[0]
        self.assertEqual("/tenant/oauth2/v2.0/token", path)
        self.assertEqual(("app", "proof-of-the-cluster", "https://storage.azure.com/.default"),
                         (form["client_id"], form["client_assertion"], form["scope"]))
        self.assertGreater(len(service.given), 1, "the token was renewed")
        self.assert_no_token_shown(service, done)

    def test_a_service_principal_and_a_given_token(self):
        service = self.service(3600)
        done = self.call(*self.run_arguments("object", self.location(), "--verify", write=1, read=1),
                         AZURE_CLIENT_SECRET="hunter2", **self.identity(service))
        self.assert_passed(done, 1, 1)
        self.assertEqual({"hunter2"}, {form["client_secret"] for _, form in service.asked})
        self.assert_no_token_shown(service, done)
        self.assertNotIn("hunter2", done.stdout + done.stderr)
        given = token(3600)
        done = self.call(*self.run_arguments("object", self.location(), "--verify", write=0, read=1), AZURE_STORAGE_KEY="",
                         AZURE_STORAGE_TOKEN=given)
        self.assert_passed(done, 0, 1)
        self.assertNotIn(given, done.stdout + done.stderr)

    def test_a_refused_token_is_denied_with_advice(self):
        done = self.fails(4, "E602", *self.run_arguments("object", self.location()), AZURE_STORAGE_KEY="",
                          AZURE_STORAGE_TOKEN=token(-60))
        self.assertIn("Storage Blob Data Contributor", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

#!/usr/bin/env python3
"""Tests of waits.py on small trees."""

import pathlib
import tempfile
import unittest

import waits


class Waits(unittest.TestCase):
    def violations(self, files, table=""):
        with tempfile.TemporaryDirectory() as root:
            for name, text in {"docs/protocols.md": table, **{f"src/{name}": text for name, text in files.items()}}.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return waits.violations(root)

    def test_every_primitive_is_found_outside_its_file_and_not_in_a_comment(self):
        for text in ("std::thread t;", "std::jthread t;", "pthread_create(", "std::condition_variable c;",
                     "std::this_thread::yield();", "::nanosleep(&t, nullptr);", "state.wait(1, std::memory_order_acquire);",
                     "std::future<int> f;", "std::latch l(2);", "std::counting_semaphore<> s;", "::poll(&p, 1, -1);",
                     "::syscall(SYS_futex);", "sigwait(&s, &n);", "curl_multi_poll(m, nullptr, 0, 1, nullptr);"):
            self.assertIn("src/io/x.cpp:1", " ".join(self.violations({"io/x.cpp": text})), text)
            self.assertEqual([], self.violations({"io/x.cpp": "// " + text}), text)
        self.assertEqual([], self.violations({"base/threads.cpp": "std::thread t;"}))

    def test_a_wait_must_be_listed(self):
        for text in ("event.wait(key);", "changed->wait_until(lock, at, done);", "thread.join();", "sleep_for(5);",
                     "poll_until(watched, at);", "run_on_threads(4, {}, work);", "::waitpid(child, nullptr, 0);"):
            self.assertEqual(1, len(self.violations({"io/x.cpp": text})), text)
            self.assertEqual([], self.violations({"io/x.cpp": text}, "| `io/x.cpp` | 1 | it | a deadline |\n"), text)

    def test_a_listed_wait_must_be_there(self):
        table = "| `io/x.cpp` | 2 | it | a deadline |\n"
        for files in ({"io/x.cpp": "event.wait(key);"}, {"io/y.cpp": ""}):
            self.assertEqual(1, len(self.violations(files, table)))


if __name__ == "__main__":
    unittest.main()

"""The set-up's Python: pins, downloads from a scripted server, unpacking, progress."""

import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import zipfile
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
SETUP = Path(__file__).resolve().parent.parent / "setup"
sys.path.insert(0, str(SETUP))
import fetch  # noqa: E402
import index  # noqa: E402
import requirements  # noqa: E402
import unpack  # noqa: E402

BODY = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(BODY).hexdigest()
PIN = requirements.Requirement("some_package", "1.0", SHA256)


class Server(http.server.ThreadingHTTPServer):
    """An index with one project, whose file it serves as `script` says, one entry per request:
    "whole", "ignore-range", "cut" (ends early), or a status code. The last one repeats."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = ["whole"]
        self.ranges = []
        self.html = self.no_hashes = False
        self.body = BODY
        self.url = f"http://127.0.0.1:{self.server_port}/index"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/index/some-package/":
            self.page()
        elif self.path == "/files/some_package-1.0.tar.gz":
            self.file()
        else:
            self.send_error(404)

    def page(self):
        name, link = "some_package-1.0.tar.gz", "../../files/some_package-1.0.tar.gz"
        if self.server.html:
            kind, mark = "text/html", "" if self.server.no_hashes else f"#sha256={SHA256}"
            text = f"<html><a href='../../files/x'>x</a><a href='{link}{mark}'>{name}</a></html>"
        else:
            kind = "application/vnd.pypi.simple.v1+json"
            files = [{"filename": "x", "url": "../../files/x", "hashes": {"sha256": "0" * 64}},
                     {"filename": name, "url": link, "size": len(BODY),
                      "hashes": {} if self.server.no_hashes else {"sha256": SHA256}}]
            text = json.dumps({"files": files})
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def file(self):
        script = self.server.script
        step = script.pop(0) if len(script) > 1 else script[0]
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if isinstance(step, int):
            self.send_error(step)
            return
        start = int(asked[len("bytes="):-1]) if asked and step != "ignore-range" else 0
        body = self.server.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if step == "cut" else body)

    def log_message(self, *_):
        pass


class Fetch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.server = Server()
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.settings = f"global.index-url='{self.server.url}'\n"
        self.final = self.folder / SHA256
        self.part = self.folder / f"{SHA256}.part"

    def fetch(self):
        settings = index.Settings(self.settings)
        with mock.patch.object(requirements, "read", lambda: [PIN]), \
                mock.patch.object(index.Settings, "of_pip", lambda: settings), \
                mock.patch("time.sleep"), mock.patch("sys.stderr", io.StringIO()):
            fetch.fetch_all(self.folder)

    def assert_fetched(self, ranges):
        self.fetch()
        self.assertEqual(self.final.read_bytes(), BODY)
        self.assertEqual(self.server.ranges, ranges)
        self.assertEqual(os.listdir(self.folder), [SHA256])

    def test_a_file_is_fetched_once(self):
        self.assert_fetched([None])
        self.server.script = [500]
        self.fetch()  # asks for nothing

    def test_a_page_in_html_serves_as_well(self):
        self.server.html = True
        self.assert_fetched([None])

    def test_an_index_without_hashes_serves_as_well(self):
        self.server.no_hashes = True
        self.assert_fetched([None])

    def test_an_earlier_part_is_continued(self):
        self.part.write_bytes(BODY[:1000])
        self.assert_fetched(["bytes=1000-"])

    def test_a_server_that_ignores_ranges_starts_anew(self):
        self.part.write_bytes(BODY[:1000])
        self.server.script = ["ignore-range"]
        self.assert_fetched(["bytes=1000-"])

    def test_broken_connections_and_busy_servers_are_tried_again(self):
        self.server.script = ["cut", 503, "cut", "whole"]
        half, rest = len(BODY) // 2, len(BODY) * 3 // 4
        self.assert_fetched([None, f"bytes={half}-", f"bytes={half}-", f"bytes={rest}-"])

    def test_a_part_longer_than_the_file_is_thrown_away(self):
        self.part.write_bytes(BODY + b"more")
        self.server.script = [416, "whole"]
        self.assert_fetched([f"bytes={len(BODY) + 4}-", None])

    def assert_fault(self, *parts):
        with self.assertRaises(fetch.Fault) as caught:
            self.fetch()
        for part in parts:
            self.assertIn(part, str(caught.exception))
        self.assertFalse(self.final.exists())

    def test_other_bytes_are_refused_and_not_kept(self):
        self.server.body = BODY[:-1] + b"!"
        self.assert_fault("pinned is " + SHA256, "127.0.0.1")
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_does_not_pass_by_itself_is_reported_at_once(self):
        self.server.script = [404]
        self.assert_fault("404", "some_package 1.0", "pip config list")
        self.assertEqual(len(self.server.ranges), 1)

    def test_a_server_that_stays_down_is_given_up(self):
        self.server.script = [503]
        self.assert_fault("503", f"{fetch.TRIES} tries")

    def test_no_server_at_all_is_a_fault(self):
        self.settings = "global.index-url='http://127.0.0.1:1/index'\n"
        self.assert_fault("127.0.0.1", "Check the network")

    def test_a_folder_of_files_needs_no_index(self):
        links = self.folder / "links"
        links.mkdir()
        (links / "some_package-1.0.tar.gz").write_bytes(BODY)
        self.settings = f"global.no-index='true'\n:env:.find-links='{links}'\n"
        self.fetch()
        self.assertEqual(self.final.read_bytes(), BODY)

    def test_settings_of_the_environment_come_first(self):
        settings = index.Settings(":env:.index-url='e'\nglobal.index-url='g'\n"
                                  "download.cert='d'\ninstall.cert='i'\nother.cert='o'\n")
        self.assertEqual(settings.values, {"index-url": "e", "cert": "d"})


class Requirements(unittest.TestCase):
    def test_the_pins_of_this_tree_are_read(self):
        names = [one.key for one in requirements.read()]
        self.assertEqual(sorted(names), sorted(unpack.TAKE))

    def test_what_is_not_pinned_is_refused(self):
        hashed = "a==1 --hash=sha256:" + "0" * 64
        self.assertEqual(len(requirements.parse(hashed + "\n")), 1)
        for bad in ("", "a==1\n", "a>=1 --hash=sha256:" + "0" * 64, "a==1 --hash=md5:0",
                    hashed + "\n" + hashed.replace("a==", "A==")):
            with self.assertRaises(ValueError, msg=bad):
                requirements.parse(bad)


class Unpack(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "out"
        self.out.mkdir()

    def unpack(self, files, takes, zipped=False):
        archive = self.folder / "archive"
        if zipped:
            with zipfile.ZipFile(archive, "w") as made:
                for name, data in files.items():
                    made.writestr(name, data)
        else:
            with tarfile.open(archive, "w:gz") as made:
                for name, data in files.items():
                    info = tarfile.TarInfo(name)
                    if data is None:
                        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                        made.addfile(info)
                    else:
                        info.size = len(data)
                        made.addfile(info, io.BytesIO(data))
        pin = PIN._replace(sha256=hashlib.sha256(archive.read_bytes()).hexdigest())
        archive.rename(self.folder / pin.sha256)
        with mock.patch.dict(unpack.TAKE, {PIN.project: takes}), \
                mock.patch("sys.stderr", io.StringIO()):
            unpack.unpack(pin, self.folder, self.out)
        return self.out / PIN.project

    def test_only_what_is_named_is_taken(self):
        for zipped in (False, True):
            with self.subTest(zipped=zipped):
                self.setUp()
                place = self.unpack({"p-1/a/b.c": b"b", "p-1/a/d/e": b"e", "p-1/f": b"f"},
                                    [unpack.Take("a/", "x")], zipped)
                found = sorted(str(path.relative_to(place)) for path in place.rglob("*")
                               if path.is_file())
                self.assertEqual(found, ["x/b.c", "x/d/e"])

    def assert_fault(self, part, files, takes):
        with self.assertRaises(unpack.Fault) as caught:
            self.unpack(files, takes)
        self.assertIn(part, str(caught.exception))
        self.assertFalse((self.out / PIN.project).exists())

    def test_a_way_out_of_the_folder_is_refused(self):
        self.assert_fault("out of its folder", {"p-1/a/../../../evil": b"x"},
                          [unpack.Take("a/", "")])
        self.assertFalse((self.folder / "evil").exists())

    def test_links_are_not_taken(self):
        self.assert_fault("lacks a/", {"p-1/a/link": None}, [unpack.Take("a/", "x")])

    def test_weights_with_another_hash_and_missing_files_are_refused(self):
        self.assert_fault("expected", {"p-1/w": b"x"}, [unpack.Take("w", "w", SHA256)])
        self.setUp()
        self.assert_fault("lacks w", {"p-1/v": b"x"}, [unpack.Take("w", "w", SHA256)])

    def test_a_damaged_download_is_set_aside(self):
        (self.folder / SHA256).write_bytes(BODY[:-1])
        with mock.patch.dict(unpack.TAKE, {PIN.project: []}), \
                self.assertRaises(unpack.Fault) as caught:
            unpack.unpack(PIN, self.folder, self.out)
        self.assertIn("set aside", str(caught.exception))
        self.assertEqual(sorted(os.listdir(self.folder)), [f"{SHA256}.damaged", "out"])


class Progress(unittest.TestCase):
    def run_progress(self, command):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            run = subprocess.run(
                [sys.executable, SETUP / "progress.py", "title", log, "sh", "-c", command],
                capture_output=True, text=True, timeout=30)
            return run, log.read_text()

    def test_success_is_one_line_and_the_output_is_in_the_log(self):
        run, log = self.run_progress("echo '[1/2] first'; echo second >&2")
        self.assertEqual((run.returncode, run.stdout), (0, ""))
        self.assertRegex(run.stderr, r"\A  title: done in \d+ s\n\Z")
        self.assertEqual(log, "[1/2] first\nsecond\n")

    def test_failure_shows_the_end_of_the_log(self):
        run, _ = self.run_progress("seq 100; exit 3")
        self.assertEqual(run.returncode, 1)
        self.assertIn("FAILED after", run.stderr)
        self.assertIn("    100\n", run.stderr)
        self.assertNotIn("    50\n", run.stderr)

    def test_ctrl_c_ends_with_130(self):
        run, _ = self.run_progress("kill -INT $$")
        self.assertEqual(run.returncode, 130)


if __name__ == "__main__":
    unittest.main()

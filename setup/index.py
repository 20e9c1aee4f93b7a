"""Finds pinned files through the package index that pip is configured for (PEP 691, PEP 503).

Honours pip's own settings: index-url, extra-index-url, find-links, cert, proxy, trusted-host.
No index is named here: the built-in default is asked of pip.
"""

import ast
import base64
import html.parser
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import NamedTuple, Optional

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
TIMEOUT_S = 60


class RemoteFile(NamedTuple):
    url: str
    name: str
    sha256: Optional[str]
    size: Optional[int]


class Settings:
    """pip's settings: the environment before the sections [download], [install], [global]."""

    def __init__(self, text):
        self.values = {}
        for section in ("global", "install", "download", ":env:"):
            for line in text.splitlines():
                match = re.fullmatch(rf"{section}\.([\w-]+)=(.*)", line.strip())
                if match:
                    self.values[match[1]] = str(ast.literal_eval(match[2]))

    @classmethod
    def of_pip(cls):
        run = subprocess.run([sys.executable, "-m", "pip", "config", "list"], text=True,
                             stdin=subprocess.DEVNULL, capture_output=True)
        if run.returncode != 0:
            sys.exit(f"setup: {sys.executable} cannot run pip, whose settings say where to "
                     "download from.\n  Mend it with: apt-get install python3-pip")
        return cls(run.stdout)

    def words(self, name):
        return self.values.get(name, "").split()

    def indexes(self):
        if "no-index" in self.values:
            return []
        first = self.values.get("index-url")
        if not first:
            from pip._internal.models.index import PyPI  # pip's own default, wherever it is
            first = PyPI.simple_url
        return [first, *self.words("extra-index-url")]


class Client:
    """Opens URLs as pip would."""

    def __init__(self, settings):
        context = ssl.create_default_context(cafile=settings.values.get("cert"))
        self.trusted = {host.split(":")[0] for host in settings.words("trusted-host")}
        handlers = [urllib.request.HTTPSHandler(context=context)]
        if settings.values.get("proxy"):
            proxy = settings.values["proxy"]
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        self.opener = urllib.request.build_opener(*handlers)
        unchecked = ssl._create_unverified_context()  # only for hosts the user trusts by name
        self.unchecked = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=unchecked), *handlers[1:])

    def open(self, url, headers):
        """The response and the URL without the user's name and password."""
        parts = urllib.parse.urlsplit(url)
        headers = dict(headers)
        if parts.username:
            login = f"{urllib.parse.unquote(parts.username)}:" \
                    f"{urllib.parse.unquote(parts.password or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
            parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        request = urllib.request.Request(urllib.parse.urlunsplit(parts), headers=headers)
        opener = self.unchecked if parts.hostname in self.trusted else self.opener
        return opener.open(request, timeout=TIMEOUT_S)


class Links(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        link = dict(attributes).get("href") if tag == "a" else None
        if link:
            self.found.append(link)


def files_of_page(url, kind, body):
    """The files that an index page names."""
    if "json" in kind:
        for entry in json.loads(body).get("files", []):
            yield RemoteFile(urllib.parse.urljoin(url, entry["url"]), entry["filename"],
                             entry.get("hashes", {}).get("sha256"), entry.get("size"))
        return
    for link in Links(body.decode("utf-8", "replace")).found:
        target, _, fragment = urllib.parse.urljoin(url, link).partition("#")
        match = re.search(r"sha256=([0-9a-f]{64})", fragment)
        name = urllib.parse.unquote(target.rpartition("/")[2])
        yield RemoteFile(target, name, match and match[1], None)


def local_files(folders):
    for folder in folders:
        folder = folder.removeprefix("file://")
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                path = os.path.join(folder, name)
                yield RemoteFile("file://" + urllib.parse.quote(os.path.abspath(path)), name,
                                 None, os.path.getsize(path))


def pick(requirement, files):
    """The pinned file; where the index gives no hashes, the files it could be."""
    files = list(files)
    exact = [file for file in files if file.sha256 == requirement.sha256]
    if exact:
        return exact[:1]
    stem = f"{requirement.project}-{requirement.version}"
    return [file for file in files if file.sha256 is None
            and re.sub(r"[-_.]+", "-", file.name).lower().startswith(re.sub(r"\.", "-", stem))]


def find(requirement, settings, client):
    """Where the pinned file can be, best first, and what went wrong on the way."""
    faults = []
    candidates = pick(requirement, local_files(settings.words("find-links")))
    for index in settings.indexes():
        url = f"{index.rstrip('/')}/{requirement.project}/"
        try:
            with client.open(url, {"Accept": ACCEPT}) as page:
                files = files_of_page(url, page.headers.get_content_type(), page.read())
                candidates += pick(requirement, files)
        except (OSError, ValueError, KeyError) as error:
            faults.append(f"{host(url)}: {error}")
    return candidates, faults


def host(url):
    return urllib.parse.urlsplit(url).hostname or url

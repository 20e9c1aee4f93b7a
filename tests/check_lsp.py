#!/usr/bin/env python3
"""`tinyarms lsp` through a client library as it is published: pygls.

usage: check_lsp.py BINARY

setup/clients brings it (pinned in setup/protocol-clients.*) into the cache. Skips loudly (status
77) where it cannot be fetched.
"""

import asyncio
import pathlib
import subprocess
import sys
import tempfile
import unittest

import check_mcp

ROOT = pathlib.Path(__file__).resolve().parent.parent
URI = "untitled:a.py"
TEXT = "s = '😀é'\ntry:\n    work()\nexcept:\n    pass\nif s in d.keys(): pass\n"
BINARY = ""
HOME = ""


class Lsp(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        from lsprotocol import types
        from pygls.lsp.client import LanguageClient

        self.types = types
        self.client = LanguageClient("tinyarms-test", "1")
        self.published = asyncio.Queue()

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def _(params):
            self.published.put_nowait(params)

        await self.client.start_io(BINARY, "lsp", "--bundled", cwd=HOME,
                                   env=check_mcp.environment(HOME))
        self.server = await self.client.initialize_async(types.InitializeParams(
            capabilities=types.ClientCapabilities(), process_id=None, root_uri=None))
        self.client.initialized(types.InitializedParams())

    async def asyncTearDown(self):
        await self.client.shutdown_async(None)
        self.client.exit(None)
        self.assertEqual(await asyncio.wait_for(self.client._server.wait(), 60), 0)
        await self.client.stop()

    async def diagnostics(self):
        return await asyncio.wait_for(self.published.get(), 60)

    async def open(self, text=TEXT):
        types = self.types
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(
            types.TextDocumentItem(uri=URI, language_id="python", version=1, text=text)))
        return await self.diagnostics()

    async def test_a_session(self):
        types = self.types
        self.assertEqual(self.server.server_info.name, "tinyarms")
        self.assertEqual(self.server.capabilities.position_encoding,
                         types.PositionEncodingKind.Utf16)
        published = await self.open()
        self.assertEqual((published.uri, published.version), (URI, 1))
        lines = {one.range.start.line for one in published.diagnostics}
        self.assertIn(3, lines)
        document = types.TextDocumentIdentifier(URI)
        bare = next(one for one in published.diagnostics if one.range.start.line == 3)
        hover = await self.client.text_document_hover_async(
            types.HoverParams(document, bare.range.start))
        self.assertIn(bare.code, hover.contents.value)

        # An edit within the text, counted in UTF-16: the emoji is two units.
        change = types.TextDocumentContentChangePartial(
            text="('😀' in d.keys())", range=types.Range(types.Position(0, 4), types.Position(0, 9)))
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(uri=URI, version=2), [change]))
        published = await self.diagnostics()
        self.assertEqual(published.version, 2)
        found = [one for one in published.diagnostics if one.range.start.line == 0]
        self.assertTrue(found)
        self.assertEqual((found[0].range.start.character, found[0].range.end.character), (5, 21))

        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))
        self.assertFalse((await self.diagnostics()).diagnostics)

    async def test_a_fix_is_what_the_rules_make_of_it(self):
        types = self.types
        published = await self.open()
        document = types.TextDocumentIdentifier(URI)
        everything = types.Range(types.Position(0, 0), types.Position(99, 0))
        actions = await self.client.text_document_code_action_async(types.CodeActionParams(
            document, everything, types.CodeActionContext(published.diagnostics)))
        self.assertTrue(actions)
        edit = actions[0].edit.changes[URI][0]
        lines = TEXT.split("\n")
        self.assertEqual(edit.range.start.line, edit.range.end.line)
        line = lines[edit.range.start.line]
        lines[edit.range.start.line] = (line[:edit.range.start.character] + edit.new_text +
                                        line[edit.range.end.character:])
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(uri=URI, version=3),
            [types.TextDocumentContentChangeWholeDocument("\n".join(lines))]))
        after = await self.diagnostics()
        self.assertNotIn(actions[0].diagnostics[0].code, [one.code for one in after.diagnostics])


def main():
    global BINARY, HOME
    BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    fetched = subprocess.run([str(ROOT / "setup" / "clients"), "protocol-clients"],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if fetched.returncode != 0:
        print(f"SKIPPED: the client cannot be fetched: {fetched.stderr.strip()[-300:]}")
        return 77
    sys.path.insert(0, str(pathlib.Path(fetched.stdout.strip()) / "python"))
    with tempfile.TemporaryDirectory(prefix="tinyarms-lsp-") as HOME:
        result = unittest.main(argv=sys.argv, exit=False, verbosity=2).result
        return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

// The official MCP clients for Node against a server, both revisions of the SDK and both transports:
// node mcp_calls.mjs CLIENTS_DIR URL BINARY ROOT → one JSON object of what came back, or of how it
// failed.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, url, binary, root] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const old = await load("@modelcontextprotocol/sdk/client/index.js");
const oldHttp = await load("@modelcontextprotocol/sdk/client/streamableHttp.js");
const oldStdio = await load("@modelcontextprotocol/sdk/client/stdio.js");
const now = await load("@modelcontextprotocol/client");
const nowStdio = await load("@modelcontextprotocol/client/stdio");

const who = { name: "tinyarms-test", version: "1" };
const place = { command: binary, args: ["mcp", "--root", root], env: process.env, stderr: "ignore" };
const question = { question: "What is 0xff in decimal?" };

async function calls(client, transport, call) {
  await client.connect(transport);
  const names = (await client.listTools()).tools.map((tool) => tool.name);
  // A progress note that comes together with its answer is lost in one of the SDKs: not counted.
  const answer = await call({ name: "ask", arguments: question }, { onprogress: () => {} });
  const scanned = await call({ name: "scan_rules", arguments: {} });
  const resources = (await client.listResources()).resources.map((one) => one.uri);
  const traces = await client.readResource({ uri: "tinyarms://traces" });
  const wrong = await call({ name: "ask", arguments: {} });
  const unknown = await call({ name: "nothing", arguments: {} }).catch((error) => error.code);
  const version = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;
  const server = client.getServerVersion()?.name;
  await client.close();
  return {
    names, version, resources, unknown, server,
    answer: answer.structuredContent.answer,
    findings: scanned.structuredContent.findings.length,
    traces: JSON.parse(traces.contents[0].text).decisions.length,
    wrong: wrong.isError,
  };
}

const runs = {
  sdk_http: () => {
    const client = new old.Client(who);
    return calls(client, new oldHttp.StreamableHTTPClientTransport(new URL(`${url}/mcp`)),
                 (request, options) => client.callTool(request, undefined, options));
  },
  sdk_stdio: () => {
    const client = new old.Client(who);
    return calls(client, new oldStdio.StdioClientTransport(place),
                 (request, options) => client.callTool(request, undefined, options));
  },
};
for (const mode of ["legacy", "auto"]) {
  const made = () => new now.Client(who, { versionNegotiation: { mode } });
  runs[`client_http_${mode}`] = () => {
    const client = made();
    return calls(client, new now.StreamableHTTPClientTransport(new URL(`${url}/mcp`)),
                 (request, options) => client.callTool(request, options));
  };
  runs[`client_stdio_${mode}`] = () => {
    const client = made();
    return calls(client, new nowStdio.StdioClientTransport(place),
                 (request, options) => client.callTool(request, options));
  };
}

const got = {};
for (const [name, run] of Object.entries(runs)) {
  try {
    got[name] = await run();
  } catch (error) {
    got[name] = { error: String(error?.stack ?? error) };
  }
}
console.log(JSON.stringify(got));

// Node 20 has no fs.globSync, which the conformance suite imports (for a command that is not used
// here): node --import ./node20.mjs …
import fs from "node:fs";
import { register } from "node:module";

const shim = 'export * from "node:fs"; export { default } from "node:fs"; ' +
  "export const globSync = () => { throw new Error('no globSync in Node 20'); };";
const hook = `export async function resolve(specifier, context, next) {
  if (specifier === "fs" && context.parentURL?.endsWith("/conformance/dist/index.js")) {
    return { url: ${JSON.stringify("data:text/javascript," + encodeURIComponent(shim))},
             shortCircuit: true };
  }
  return next(specifier, context);
}`;
if (fs.globSync === undefined) register("data:text/javascript," + encodeURIComponent(hook));

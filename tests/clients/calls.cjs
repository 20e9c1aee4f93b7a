// The official clients for Node against a server: node calls.cjs CLIENTS_DIR URL → one JSON object
// of what came back, or of how it failed.
"use strict";
const { createRequire } = require("module");
const [folder, url] = process.argv.slice(2);
const client = createRequire(`${folder}/`);
const OpenAI = client("openai");
const Anthropic = client("@anthropic-ai/sdk");

const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
const easy = [{ role: "user", content: "What is 0xff in decimal?" }];
const hard = [{ role: "user", content: "Name a colour" }];

const city = {
  type: "object", required: ["city", "days"], additionalProperties: false,
  properties: { city: { enum: ["Paris", "Rome"] }, days: { type: "integer", minimum: 1, maximum: 9 } },
};
const ask = [{ role: "user", content: "How is the weather in Rome?" }];
const openaiCall = {
  model: "l2", messages: ask, max_tokens: 80, tool_choice: "required", parallel_tool_calls: false,
  tools: [{ type: "function", function: { name: "weather", parameters: city } }],
};
const anthropicCall = {
  model: "l2", messages: ask, max_tokens: 80,
  tools: [{ name: "weather", input_schema: city }],
  tool_choice: { type: "any", disable_parallel_tool_use: true },
};

async function all(pages) {
  const names = [];
  for await (const one of pages) names.push(one.id);
  return names;
}

const calls = {
  openai_models: () => all(openai.models.list()),
  openai_chat: async () =>
    (await openai.chat.completions.create({ model: "auto", messages: easy })).choices[0].message
      .content,
  openai_stream: async () => {
    const stream = await openai.chat.completions.create({
      model: "l2", messages: hard, max_tokens: 6, stream: true,
      stream_options: { include_usage: true },
    });
    let text = "", finish, usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      finish = chunk.choices[0]?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    return { text, finish, tokens: usage.completion_tokens };
  },
  openai_tools: async () =>
    JSON.parse((await openai.chat.completions.create(openaiCall)).choices[0].message.tool_calls[0]
      .function.arguments),
  openai_tools_stream: async () => {
    const stream = openai.chat.completions.stream(openaiCall);
    const whole = await stream.finalChatCompletion();
    return JSON.parse(whole.choices[0].message.tool_calls[0].function.arguments);
  },
  openai_format: async () =>
    JSON.parse((await openai.chat.completions.create({
      model: "l2", messages: ask, max_tokens: 80,
      response_format: { type: "json_schema", json_schema: { name: "weather", schema: city } },
    })).choices[0].message.content),
  openai_logprobs: async () =>
    (await openai.chat.completions.create({
      model: "l2", messages: hard, max_tokens: 4, logprobs: true, top_logprobs: 2,
    })).choices[0].logprobs.content,
  openai_completion: async () =>
    (await openai.completions.create({ model: "l2", prompt: "Once upon a", max_tokens: 4 }))
      .choices[0].text,
  anthropic_tools: async () => (await anthropic.messages.create(anthropicCall)).content[0].input,
  anthropic_tools_stream: async () =>
    (await anthropic.messages.stream(anthropicCall).finalMessage()).content[0].input,
  openai_error: () => openai.chat.completions.create({ model: "nothing", messages: easy }),
  openai_embeddings: async () =>
    (await openai.embeddings.create({ model: "auto", input: ["a", "b"] })).data.map(
      (one) => one.embedding.length),
  openai_responses: async () =>
    (await openai.responses.create({ model: "auto", input: easy[0].content })).output_text,
  openai_responses_stream: async () => {
    const stream = openai.responses.stream({
      model: "l2", input: hard[0].content, max_output_tokens: 6,
    });
    let text = "";
    stream.on("response.output_text.delta", (event) => { text += event.delta; });
    const whole = await stream.finalResponse();
    return { text, same: whole.output_text === text, status: whole.status };
  },
  anthropic_models: () => all(anthropic.models.list()),
  anthropic_message: async () =>
    (await anthropic.messages.create({ model: "auto", max_tokens: 8, messages: easy })).content[0]
      .text,
  anthropic_stream: async () => {
    const stream = anthropic.messages.stream({ model: "l2", max_tokens: 6, messages: hard });
    const text = await stream.finalText();
    const whole = await stream.finalMessage();
    return { text, stop: whole.stop_reason, tokens: whole.usage.output_tokens };
  },
  anthropic_error: () =>
    anthropic.messages.create({ model: "nothing", max_tokens: 8, messages: easy }),
  anthropic_count: async () =>
    (await anthropic.messages.countTokens({ model: "l2", messages: hard })).input_tokens,
};

(async () => {
  const results = {};
  for (const [name, call] of Object.entries(calls)) {
    try {
      results[name] = await call();
    } catch (error) {
      results[name] = { error: error.constructor.name, status: error.status,
                        message: String(error.message) };
    }
  }
  console.log(JSON.stringify(results));
})();

// The door's API. A key, where one is asked for, lives in this tab's sessionStorage and nowhere
// else.

const storedUnder = 'tinyarms.key';

export const key = {
  get: () => sessionStorage.getItem(storedUnder) ?? '',
  set: (text) => (text ? sessionStorage.setItem(storedUnder, text)
                       : sessionStorage.removeItem(storedUnder)),
};

export class ApiError extends Error {
  constructor(status, error, retryAfter, requestId) {
    super(error?.message ?? `the server answered ${status}`);
    this.status = status;
    this.code = error?.code ?? '';
    this.param = error?.param ?? '';
    this.retryAfter = retryAfter;
    this.requestId = requestId;
  }
}

let askForKey = async () => false;
export function onKeyWanted(ask) { askForKey = ask; }

async function send(path, {body, signal} = {}) {
  const headers = {};
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(path, {
      method: body === undefined ? 'GET' : 'POST', headers, signal, cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body)});
  } catch (problem) {
    if (problem.name === 'AbortError') throw problem;
    throw new ApiError(0, {message: 'The server cannot be reached. Is `tinyarms serve` running?',
                           code: 'unreachable'});
  }
}

async function fail(response) {
  let error = null;
  try { error = (await response.json()).error; } catch { /* no JSON: the status says enough */ }
  throw new ApiError(response.status, error, response.headers.get('retry-after'),
                     response.headers.get('x-request-id'));
}

// `quiet`: a 401 is only told, and no key asked for.
export async function request(path, options = {}) {
  let response = await send(path, options);
  if (response.status === 401 && !options.quiet) {
    const refusal = response.clone();  // read at once: nothing stays open while a person types
    await response.text();
    response = await askForKey() ? await send(path, options) : refusal;
  }
  if (!response.ok) await fail(response);
  return response;
}

export async function json(path, options) {
  return (await request(path, options)).json();
}

// Chunks of a streamed completion, as objects. An error told within the stream is thrown.
export async function* chat(body, signal) {
  const response = await request('/v1/chat/completions', {body: {...body, stream: true}, signal});
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    while (true) {
      const {value, done} = await reader.read();
      if (done) break;
      text += value;
      let end;
      while ((end = text.indexOf('\n\n')) >= 0) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const data = event.split('\n').filter((line) => line.startsWith('data: '))
          .map((line) => line.slice(6)).join('\n');
        if (!data || data === '[DONE]') continue;
        const chunk = JSON.parse(data);
        if (chunk.error) throw new ApiError(200, chunk.error);
        yield chunk;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// The playground: a conversation, streamed, and beside it what was decided about each answer.
import {ApiError, chat, json} from './api.js';
import {badge, h, seconds, tiers, tierNames} from './dom.js';
import {costLine, factsOf, path, prose, sureLine} from './answer.js';

const samples = [
  ['What is 0xff in decimal?', 'a rule knows it'],
  ['Write a Python function that reverses a string', 'a small model, checked by a parser'],
  ['Which HTTP status means too many requests?', 'reference knowledge'],
  ['Explain what a mutex is', 'prose; nothing parses'],
];

export function chatView() {
  const turns = [];     // {question, node, answers: [{text, facts, node, …}]}
  let running = null;   // AbortController
  let chosen = null;    // the answer whose facts are shown

  // The composer.
  const question = h('textarea', {id: 'question', rows: '1', 'aria-label': 'Question',
    placeholder: 'Ask about code; Enter sends', title: 'Shift+Enter breaks the line'});
  const model = h('select', {id: 'model'}, h('option', {value: 'auto'}, 'auto'));
  const threshold = h('input', {id: 'threshold', type: 'number', min: '0', max: '1', step: '0.05',
                                placeholder: 'set'});
  const limit = h('input', {id: 'limit', type: 'number', min: '1', max: '8192', step: '1',
                            placeholder: 'set'});
  const temperature = h('input', {id: 'temperature', type: 'number', min: '0', max: '2',
                                  step: '0.1', placeholder: 'set'});
  const wantTokens = h('input', {id: 'tokens', type: 'checkbox'});
  const go = h('button', {type: 'submit', class: 'primary'}, 'Send');
  const stop = h('button', {type: 'button', on: {click: () => running?.abort()}}, 'Stop');
  const fresh = h('button', {type: 'button', class: 'quiet', on: {click: restart}},
                  'Start over');
  const field = (name, label, control) =>
    h('span', {class: 'field'}, h('label', {for: name}, label), control);
  // Served by some models and tiers only: shown where the door says that it takes them.
  const tokenField = field('tokens', 'Token texts', wantTokens);
  tokenField.hidden = true;
  tokenField.title = 'Such a request goes to a model: neither rules nor memory have tokens';
  const options = h('details', {class: 'options'}, h('summary', {}, 'Options'),
    h('div', {class: 'row'}, field('model', 'Model', model),
      field('threshold', 'Threshold', threshold), field('limit', 'Tokens', limit),
      field('temperature', 'Temperature', temperature), tokenField,
      h('span', {class: 'grow'}), fresh));
  const form = h('form', {on: {submit: (event) => { event.preventDefault(); ask(); }}},
    h('div', {class: 'ask'}, question, go, stop),
    options);

  question.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.key === 'Escape') running?.abort();
  });
  question.addEventListener('input', fit);
  function fit() {
    question.style.height = 'auto';
    question.style.height = `${question.scrollHeight + 2}px`;
  }

  const list = h('div', {class: 'turns', role: 'log', 'aria-label': 'Conversation',
                         tabindex: '0'});
  const side = h('aside', {class: 'side', 'aria-label': 'Why this answer'});
  const element = h('div', {class: 'chat-view'}, h('div', {class: 'chat'},
    h('div', {class: 'talk'}, h('h1', {class: 'hidden'}, 'Chat'), list,
      h('div', {class: 'composer'}, form)), side));
  const narrow = window.matchMedia('(max-width: 1020px)');
  narrow.addEventListener('change', () => { options.open = !narrow.matches; place(); });
  options.open = !narrow.matches;

  function restart() {
    running?.abort();
    turns.length = 0;
    chosen = null;
    list.replaceChildren(h('div', {class: 'welcome'},
      h('h2', {}, 'The cheapest tier that is sure enough answers'),
      h('p', {class: 'muted'}, 'Rules, then what was answered before, then a small model, then a ' +
        'larger one. Ask something, and see who answered, how sure it was and why.'),
      h('div', {class: 'samples'}, samples.map(([text, why]) => h('button', {type: 'button',
        on: {click: () => { question.value = text; ask(); }}}, h('span', {}, text),
        h('span', {class: 'muted small'}, why))))));
    showFacts(null);
    busy(false);
    question.focus();
  }

  function busy(on) {
    stop.hidden = !on;
    go.hidden = on;
    list.setAttribute('aria-busy', String(on));
  }

  function messagesUpTo(turn) {
    const messages = [];
    for (const one of turns) {
      messages.push({role: 'user', content: one.question});
      if (one === turn) break;
      const answer = one.answers.findLast((each) => each.text && each.facts);
      if (answer) messages.push({role: 'assistant', content: answer.text});
      else messages.pop();  // a question that nobody answered
    }
    return messages;
  }

  function ask() {
    const text = question.value.trim();
    if (!text || running) return;
    if (turns.length === 0) list.replaceChildren();
    const turn = {question: text, answers: [], node: h('section', {class: 'turn'},
      h('div', {class: 'asked'}, h('span', {class: 'hidden'}, 'Question: '), text))};
    turns.push(turn);
    list.append(turn.node);
    question.value = '';
    fit();
    run(turn, {});
  }

  async function run(turn, override) {
    if (running) return;
    running = new AbortController();
    busy(true);
    const body = {model: model.value, messages: messagesUpTo(turn),
                  tinyarms: {trace: true, ...override}};
    if (threshold.value !== '' && !('confidence_threshold' in override)) {
      body.tinyarms.confidence_threshold = Number(threshold.value);
    }
    if (wantTokens.checked && !tokenField.hidden) {
      Object.assign(body, {logprobs: true, top_logprobs: 3});
    }
    if (override.tier) body.model = 'auto';
    if (limit.value !== '') body.max_completion_tokens = Number(limit.value);
    if (temperature.value !== '') body.temperature = Number(temperature.value);
    const answer = openAnswer(turn, override);
    let finish = null;
    try {
      for await (const chunk of chat(body, running.signal)) {
        const choice = chunk.choices?.[0];
        if (choice?.delta?.content) { answer.text += choice.delta.content; answer.drawSoon(); }
        if (choice?.logprobs?.content) answer.tokens.push(...choice.logprobs.content);
        if (choice?.finish_reason) finish = choice.finish_reason;
        if (chunk.tinyarms) answer.facts = chunk.tinyarms;
      }
      if (!answer.facts) throw new ApiError(0, {message: 'The stream ended early.', code: 'cut'});
      close(answer, finish);
    } catch (problem) {
      fail(answer, problem, () => run(turn, override));
    } finally {
      running = null;
      clearInterval(answer.ticking);
      busy(false);
      list.scrollTop = list.scrollHeight;
    }
  }

  function openAnswer(turn, override) {
    const begun = performance.now();
    const since = h('span', {}, '0.0 s');
    const body = h('div', {class: 'body'}, h('div', {class: 'waiting'},
      h('span', {class: 'pulse'}), override.tier ? `asking ${override.tier.toUpperCase()} only`
                                                 : 'climbing', since));
    const strip = h('div', {class: 'strip'});
    const node = h('article', {class: 'answer', 'aria-label': 'Answer'}, body, strip);
    strip.hidden = true;
    turn.node.append(node);
    list.scrollTop = list.scrollHeight;
    const answer = {text: '', facts: null, tokens: [], node, body, strip, turn, override,
                    drawn: false};
    answer.ticking = setInterval(() => {
      since.textContent = seconds((performance.now() - begun) / 1000);
    }, 100);
    answer.drawSoon = () => {
      if (answer.drawn) return;
      answer.drawn = true;
      requestAnimationFrame(() => {
        answer.drawn = false;
        const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
        body.replaceChildren(...prose(answer.text));
        if (atEnd) list.scrollTop = list.scrollHeight;
      });
    };
    turn.answers.push(answer);
    return answer;
  }

  function close(answer, finish) {
    answer.body.replaceChildren(...prose(answer.text || '(an empty answer)'));
    if (finish === 'length') {
      answer.body.append(h('p', {class: 'small muted'}, 'Cut off at the limit of tokens.'));
    }
    const facts = answer.facts;
    const why = h('button', {type: 'button', class: 'quiet', on: {click: () => choose(answer)}},
                  'Why');
    answer.why = why;
    answer.strip.hidden = false;
    answer.strip.replaceChildren(path(facts.trace ?? []), h('span', {}, facts.source ?? ''),
      h('span', {}, sureLine(facts)), h('span', {class: 'grow'}), h('span', {}, costLine(facts)),
      why);
    if (!facts.sure) answer.strip.append(h('span', {class: 'bad'}, 'not sure'));
    choose(answer, true);
  }

  function fail(answer, problem, again) {
    const stopped = problem.name === 'AbortError';
    const partial = answer.text ? prose(answer.text) : [];
    const retry = h('button', {type: 'button', on: {click: () => {
      answer.node.remove();
      answer.turn.answers = answer.turn.answers.filter((one) => one !== answer);
      again();
    }}}, 'Try again');
    const titles = {401: 'A key is needed', 403: 'Not allowed', 404: 'No such model',
                    429: 'The queue is full', 503: 'Nobody could answer'};
    const wait = problem.retryAfter ? ` Try again in ${problem.retryAfter} s.` : '';
    answer.body.replaceChildren(...partial, stopped
      ? h('p', {class: 'muted'}, 'Stopped.')
      : h('div', {class: 'error', role: 'alert'},
          h('strong', {}, titles[problem.status] ?? 'That did not work'),
          h('p', {}, problem.message + wait),
          problem.param && h('p', {class: 'small muted'}, `field: ${problem.param}`),
          problem.requestId && h('p', {class: 'small muted'}, 'request ',
                                 h('span', {class: 'mono'}, problem.requestId))));
    answer.strip.hidden = false;
    answer.strip.replaceChildren(h('span', {class: 'grow'}), retry);
  }

  function choose(answer, silently) {
    chosen?.node.classList.remove('chosen');
    chosen?.why?.removeAttribute('aria-pressed');
    const closing = !silently && chosen === answer && narrow.matches && side.isConnected
                    && side.parentNode === answer.node;
    chosen = closing ? null : answer;
    if (chosen) {
      answer.node.classList.add('chosen');
      answer.why.setAttribute('aria-pressed', 'true');
    }
    showFacts(chosen, silently);
  }

  function judgementOf(answer) {
    const said = h('span', {class: 'small muted', role: 'status'});
    const mark = async (good) => {
      try {
        await json('/v1/tinyarms/feedback',
                   {body: {id: answer.facts.decision_id ?? answer.facts.trace_id, good}});
        answer.judged = good;
        said.textContent = 'noted; it counts in the reliability diagram';
      } catch (problem) {
        said.textContent = problem.message;
      }
      press();
    };
    const yes = h('button', {type: 'button', on: {click: () => mark(true)}}, '✓ Right');
    const no = h('button', {type: 'button', on: {click: () => mark(false)}}, '✕ Wrong');
    function press() {
      yes.setAttribute('aria-pressed', String(answer.judged === true));
      no.setAttribute('aria-pressed', String(answer.judged === false));
    }
    press();
    return h('div', {class: 'row'}, yes, no, said);
  }

  function showFacts(answer, silently) {
    if (!answer) {
      side.replaceChildren(h('div', {class: 'stacked'}, h('h2', {}, 'Why this answer'),
        h('p', {class: 'muted'}, 'Who was asked, how sure each was, what that rests on, and what ' +
          'it took. Shown for the answer you choose.'),
        h('ul', {class: 'steps'}, tiers.map((tier, index) => h('li', {}, badge(tier),
          h('span', {}, tierNames[index]), h('span'))))));
    } else {
      side.replaceChildren(factsOf(answer.facts, {
        judgement: judgementOf(answer),
        again: (tier, text) => run(answer.turn, {
          ...(tier ? {tier} : {}),
          ...(text !== '' ? {confidence_threshold: Number(text)} : {})}),
      }, answer.tokens));
    }
    place(silently);
  }

  // Beside the conversation where there is room, else within the answer, once it is asked for.
  function place(silently) {
    if (!narrow.matches) {
      element.firstChild.append(side);
    } else if (chosen && silently !== true) {
      chosen.node.append(side);
    } else {
      side.remove();
    }
  }

  async function listModels() {
    try {
      const {data} = await json('/v1/models');
      const now = model.value;
      const group = (label, kinds) => {
        const names = data.filter((one) => kinds.includes(one.tinyarms?.kind));
        return names.length > 0 && h('optgroup', {label}, names.map(
          (one) => h('option', {value: one.id, title: one.tinyarms?.description}, one.id)));
      };
      model.replaceChildren(...[group('Cascade', ['cascade']), group('One tier', ['tier']),
                                group('One model', ['language'])].filter(Boolean));
      model.value = data.some((one) => one.id === now) ? now : 'auto';
    } catch { /* `auto` always is one */ }
    try {
      const door = await json('/openapi.json');
      const body = door.paths['/v1/chat/completions'].post.requestBody.content['application/json'];
      tokenField.hidden = !('logprobs' in body.schema.properties);
    } catch { /* not shown then */ }
  }

  restart();
  return {element, enter() { listModels(); if (!narrow.matches) question.focus(); }};
}

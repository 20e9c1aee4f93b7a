// The newest decisions, one a line.
import {json} from './api.js';
import {clock, h, number, seconds} from './dom.js';
import {path} from './answer.js';
import {polling, problemBox, sourceOf} from './figures.js';

export function decisionsView() {
  const body = h('div', {class: 'panel'});
  const note = h('p', {class: 'small muted'});
  const said = h('div', {});  // of the last judgement
  const element = h('div', {class: 'page'}, h('h1', {class: 'hidden'}, 'Decisions'), said, body,
                    note);

  async function judge(id, good) {
    try {
      await json('/v1/tinyarms/feedback', {body: {id, good}});
      said.replaceChildren();
    } catch (problem) {
      said.replaceChildren(problemBox(problem));
    }
    load();
  }

  function row(one) {
    const step = one.steps.findLast((each) => each.tier === one.tier && each.confidence !== null);
    const good = step?.good ?? null;
    const mark = (value, sign, label) => h('button', {type: 'button', class: 'quiet mini',
      'aria-label': `${label}: decision ${one.id}`, 'aria-pressed': String(good === value),
      on: {click: () => judge(one.id, value)}}, sign);
    return h('tr', {}, h('td', {}, clock(one.at)), h('td', {class: 'left'}, path(one.steps)),
      h('td', {class: 'left'}, one.tier ? step?.source ?? '' : h('span', {class: 'bad'},
                                                                 'nobody answered')),
      h('td', {class: 'left'}, one.intent ?? '–'),
      h('td', {}, step ? number(step.confidence) : '–'),
      h('td', {}, step && step.threshold !== null ? number(step.threshold) : '–'),
      h('td', {class: one.sure ? 'good' : 'bad'},
        one.sure ? '✓ sure' : one.tier ? '✕ not sure' : '✕ no answer'),
      h('td', {}, seconds(one.seconds)),
      h('td', {}, one.tier && [mark(true, '✓', 'Right'), mark(false, '✕', 'Wrong')]));
  }

  function draw(all) {
    note.textContent = `${sourceOf(all)} Questions are not shown: only their hashes are kept.`;
    if (all.decisions.length === 0) {
      body.replaceChildren(h('p', {class: 'empty'}, 'Nothing was decided yet.'));
      return;
    }
    const focused = document.activeElement?.getAttribute('aria-label');
    body.replaceChildren(h('div', {class: 'scroll', tabindex: '0', role: 'region',
                                   'aria-label': 'Decisions'},
      h('table', {}, h('thead', {}, h('tr', {}, [['time'], ['path', 'left'], ['by', 'left'],
        ['kind', 'left'], ['P(correct)'], ['threshold'], ['verdict'], ['took'], ['right?']].map(
        ([name, side]) => h('th', {scope: 'col', class: side}, name)))),
      h('tbody', {}, all.decisions.map(row)))));
    if (focused) {
      [...body.querySelectorAll('button')].find(
        (one) => one.getAttribute('aria-label') === focused)?.focus();
    }
  }

  async function load() {
    try {
      draw(await json('/v1/tinyarms/decisions?limit=100'));
    } catch (problem) {
      body.replaceChildren(problemBox(problem));
    }
  }
  return {element, ...polling(load, 5000)};
}

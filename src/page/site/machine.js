// Models in memory, remembered answers, the index, and what the door counts.
import {json} from './api.js';
import {bytes, count, h, percent, seconds, svg} from './dom.js';
import {polling, problemBox} from './figures.js';

function memory(all) {
  const {held_bytes: held, budget_bytes: budget, physical_bytes: physical} = all.memory;
  const share = Math.min(1, budget ? held / budget : 0);
  return h('div', {},
    h('div', {class: 'row apart'}, h('span', {class: 'big'}, bytes(held)),
      h('span', {class: 'muted small'}, `of ${bytes(budget)} allowed, ${bytes(physical)} there`)),
    svg('svg', {class: 'bar', role: 'img', 'aria-label': `${percent(share)} of the budget`},
        svg('rect', {class: 'f2', width: `${100 * share}%`, height: '100%', rx: '4'})));
}

const modelCells = (one) => [h('td', {}, count(one.context_tokens)),
  h('td', {}, seconds(one.load_seconds)), h('td', {}, count(one.uses)),
  h('td', {class: one.in_use ? 'good' : ''}, one.in_use ? 'in use'
    : seconds(Math.round(one.idle_seconds)))];
// Beginnings of prompts have neither context nor load.
const noModelCells = () => [1, 2, 3, 4].map(() => h('td', {}, ''));

function models(all) {
  if (all.models.length === 0) {
    return h('p', {class: 'empty'}, 'No language model is in memory; the first question that ' +
                                    'needs one brings it in.');
  }
  return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Models'},
    h('table', {}, h('thead', {}, h('tr', {}, ['model', 'memory', 'context', 'loaded in', 'uses',
      'idle', 'process'].map((name) => h('th', {scope: 'col'}, name)))),
    h('tbody', {}, all.models.map((one) => h('tr', {}, h('td', {}, one.name),
      h('td', {}, bytes(one.bytes)), ...(one.kind === 'prefixes' ? noModelCells() : modelCells(one)),
      h('td', {}, `${one.command} ${one.pid}${one.kept ? ' (kept)' : ''}`))))));
}

const facts = (rows) => h('dl', {class: 'pairs'},
  rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));

function cache(one) {
  return [facts([['kept', one.enabled ? 'yes' : 'switched off (l1.cache)'],
                 ['answers', `${count(one.entries)} of at most ${count(one.entries_max)}`],
                 ['on disk', bytes(one.bytes)]]),
          one.problem ? h('p', {class: 'notice small'}, one.problem) : ''];
}

function index(one) {
  if (one.files === 0 && !one.problem) {
    return [h('p', {class: 'empty'}, 'Nothing is indexed: `tinyarms index add FOLDER` lets ' +
                                     'questions about your own files be answered.')];
  }
  return [facts([['folders', count(one.roots)], ['files', count(one.files)],
                 ['passages', count(one.passages)], ['with vectors', count(one.vectors)],
                 ['made by', one.model ?? '–']]),
          one.problem ? h('p', {class: 'notice small'}, one.problem) : ''];
}

function queue(ready, health) {
  return [facts([['version', health.version], ['being answered', count(ready.running)],
                 ['waiting', count(ready.waiting)]]),
          ...(ready.notices ?? []).map((text) => h('p', {class: 'notice small'}, text))];
}

export function machineView() {
  const slot = (title) => {
    const body = h('div', {});
    return {body, node: h('section', {class: 'panel'}, h('h2', {}, title), body)};
  };
  const parts = {memory: slot('Memory'), queue: slot('Server'), models: slot('Models in memory'),
                 cache: slot('Remembered answers'), index: slot('Index of your files')};
  const element = h('div', {class: 'page'}, h('h1', {class: 'hidden'}, 'Machine'),
    h('div', {class: 'two'}, parts.memory.node, parts.queue.node), parts.models.node,
    h('div', {class: 'two'}, parts.cache.node, parts.index.node));

  async function part(names, paths, draw) {
    try {
      const got = await Promise.all(paths.map((path) => json(path)));
      const drawn = draw(...got);
      names.forEach((name, i) => parts[name].body.replaceChildren(...[drawn[i]].flat()));
    } catch (problem) {
      for (const name of names) parts[name].body.replaceChildren(problemBox(problem));
    }
  }
  async function load() {
    await part(['queue'], ['/ready', '/health'], (ready, health) => [queue(ready, health)]);
    await part(['memory', 'models'], ['/v1/tinyarms/models'], (all) => [memory(all), models(all)]);
    await part(['cache', 'index'], ['/v1/tinyarms/stores'],
               (all) => [cache(all.cache), index(all.index)]);
  }
  return {element, ...polling(load, 5000)};
}

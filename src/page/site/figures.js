// Who answered, how fast, and what it saved: sums over the decisions, refreshed while they are
// looked at.
import {json} from './api.js';
import {badge, clock, count, h, percent, seconds, stack, svg, tiers, tierNames} from './dom.js';

const periods = [['15m', '15 min'], ['1h', '1 h'], ['24h', '24 h'], ['7d', '7 days'], ['', 'all']];

export const sourceOf = (stats) => (stats.logged
  ? 'From the decision log.'
  : 'Of this server since it started: log.decisions = true keeps every decision.');

// Buttons of which one holds.
export function segments(label, choices, now, change) {
  const buttons = choices.map(([value, text]) => h('button', {type: 'button',
    'aria-pressed': String(value === now), on: {click: () => {
      for (const [i, each] of buttons.entries()) {
        each.setAttribute('aria-pressed', String(choices[i][0] === value));
      }
      change(value);
    }}}, text));
  return h('div', {class: 'seg', role: 'group', 'aria-label': label}, buttons);
}

export const legend = (used) => h('div', {class: 'legend'}, tiers.map((tier, i) => used[i] &&
  h('span', {class: 'key'}, svg('svg', {'aria-hidden': 'true'}, svg('rect', {
    class: `f${i}`, width: '9', height: '9', rx: '2'})), `${tier.toUpperCase()} ${tierNames[i]}`)));

export const partsOf = (given, unanswered = 0) => [
  ...given.map((amount, i) => [`f${i}`, amount, tiers[i].toUpperCase()]),
  ['fx', unanswered, 'unanswered']];

// A view that asks again every so often while it is shown and the tab is looked at.
export function polling(load, every) {
  let timer = null;
  return {
    enter() { load(); timer = setInterval(() => { if (!document.hidden) load(); }, every); },
    leave() { clearInterval(timer); timer = null; },
  };
}

export const problemBox = (problem) => h('div', {class: 'error', role: 'alert'},
  h('strong', {}, problem.status === 403 ? 'This key may not see that' : 'That did not work'),
  h('p', {}, problem.message));

function card(title, value, more) {
  return h('div', {class: 'card'}, h('h3', {}, title), h('p', {class: 'big'}, value),
           h('p', {class: 'small muted'}, more));
}

function timeline(stats) {
  const moments = stats.timeline;
  if (moments.length === 0) return h('p', {class: 'empty'}, 'Nothing was asked in that time.');
  const sums = moments.map((one) => one.given.reduce((a, b) => a + b, 0) + one.unanswered);
  const most = Math.max(1, ...sums);
  const width = 1000 / moments.length;
  const bars = svg('svg', {class: 'timeline', viewBox: '0 0 1000 100', role: 'img',
    preserveAspectRatio: 'none', 'aria-label':
      `Replies by tier over time; at most ${most} in one of ${moments.length} spans`});
  moments.forEach((moment, i) => {
    let top = 100;
    const label = `${clock(moment.from)}: ${sums[i]} asked, ${moment.escalated} climbed, median ` +
                  seconds(moment.seconds_p50);
    const group = svg('g', {}, svg('title', {}, label));
    for (const [name, amount] of partsOf(moment.given, moment.unanswered)) {
      if (!amount) continue;
      const height = 96 * amount / most;
      top -= height;
      group.append(svg('rect', {class: name, x: i * width + width * 0.12, y: top,
                                width: width * 0.76, height}));
    }
    bars.append(group);
  });
  bars.append(svg('line', {class: 'base', x1: '0', x2: '1000', y1: '99.5', y2: '99.5',
                           'vector-effect': 'non-scaling-stroke'}));
  const day = stats.until - stats.since > 80000;
  const when = (at) => (day ? new Date(at * 1000).toLocaleString('en-GB',
    {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'}) : clock(at));
  return h('div', {}, bars, h('div', {class: 'axis'}, h('span', {}, when(stats.since)),
    h('span', {}, `tallest: ${most}`), h('span', {}, when(stats.until))));
}

function tierTable(stats) {
  return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'By tier'},
    h('table', {}, h('thead', {}, h('tr', {}, ['tier', 'replies', 'share', 'asked', 'kept',
      'passed on', 'failed', 'p50', 'p95', 'tokens', 'confidence'].map(
      (name) => h('th', {scope: 'col'}, name)))),
    h('tbody', {}, stats.tiers.map((tier) => h('tr', {class: tier.asked ? '' : 'muted'},
      h('td', {}, badge(tier.tier, tier.asked ? '' : 'idle')), h('td', {}, count(tier.given)),
      h('td', {}, percent(tier.utilisation)), h('td', {}, count(tier.asked)),
      h('td', {}, percent(tier.share_kept)), h('td', {}, count(tier.escalated)),
      h('td', {class: tier.failed ? 'bad' : ''}, count(tier.failed)),
      h('td', {}, seconds(tier.latency_seconds.p50)),
      h('td', {}, seconds(tier.latency_seconds.p95)),
      h('td', {}, count(tier.tokens)),
      h('td', {}, tier.confidence_mean === null ? '–' : `${tier.confidence_mean.toFixed(2)}` +
        (tier.calibrated === 1 ? '' : ' *')))))),
    stats.tiers.some((tier) => tier.confidence_mean !== null && tier.calibrated < 1) &&
      h('p', {class: 'small muted'}, '* uncalibrated, or in part'));
}

function intentTable(stats) {
  return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'By kind'},
    h('table', {}, h('thead', {}, h('tr', {}, ['kind', 'asked', 'answered by', 'climbed', 'p50',
      'p95'].map((name) => h('th', {scope: 'col', class: name === 'answered by' && 'left'},
                                name)))),
    h('tbody', {}, stats.intents.map((one) => h('tr', {},
      h('td', {}, one.intent ?? 'not known'), h('td', {}, count(one.decisions)),
      h('td', {}, stack(partsOf(one.tiers.map((tier) => tier.given), one.unanswered),
                        `${one.intent ?? 'not known'} by tier`)),
      h('td', {}, percent(one.escalations.rate)), h('td', {}, seconds(one.latency_seconds.p50)),
      h('td', {}, seconds(one.latency_seconds.p95)))))));
}

function cards(stats) {
  const saved = stats.savings;
  const against = saved?.against.toUpperCase();
  return h('section', {class: 'cards'}, h('h2', {class: 'hidden'}, 'At a glance'),
    card('Questions', count(stats.decisions),
         `${count(stats.sure)} surely, ${count(stats.unanswered)} unanswered`),
    card('Latency, median', seconds(stats.latency_seconds.p50),
         `95 % within ${seconds(stats.latency_seconds.p95)}`),
    card('Answered before', percent(stats.cache.hit_rate),
         `${count(stats.cache.exact)} exact, ${count(stats.cache.similar)} alike`),
    card('Escalations', percent(stats.escalations.rate),
         `${count(stats.escalations.decisions)} questions`),
    saved ? card(`Time saved against ${against}`, saved.share_saved === null ? '–'
                 : percent(saved.share_saved), `${seconds(saved.seconds_spent)} instead of ` +
                 seconds(saved.seconds_always))
          : card('Time saved', '–', 'no model was asked yet'),
    saved ? card(`Calls of ${against} avoided`, count(saved.calls_avoided),
                 `of ${count(stats.answered)} answered; its mean is ` +
                 `${seconds(saved.against_seconds_mean)} (${count(saved.against_answers)} answers)`)
          : card('Calls avoided', '–', 'no model was asked yet'));
}

export function figuresView() {
  let since = '24h';
  const body = h('div', {class: 'page-body'});
  const updated = h('span', {class: 'small muted'});
  const element = h('div', {class: 'page'},
    h('div', {class: 'row apart'}, h('h1', {class: 'hidden'}, 'Figures'),
      segments('Time', periods, since, (value) => { since = value; load(); }), updated), body);

  function draw(stats) {
    const used = stats.tiers.map((tier) => tier.given > 0);
    body.replaceChildren(cards(stats),
      h('section', {class: 'panel'}, h('div', {class: 'row apart'},
        h('h2', {}, 'Replies over time'), legend(used)), timeline(stats)),
      stats.advice.length > 0 && h('section', {class: 'panel'},
        h('h2', {}, 'What the numbers suggest'),
        h('ul', {class: 'advice'}, stats.advice.map((one) => h('li', {}, one.text)))) || '',
      h('section', {class: 'panel'}, h('h2', {}, 'By tier'), tierTable(stats)),
      h('section', {class: 'panel'}, h('h2', {}, 'By kind of question'), intentTable(stats)));
    updated.textContent = `${sourceOf(stats)} ${clock(stats.until)}`;
  }

  async function load() {
    try {
      draw(await json(`/v1/tinyarms/stats${since ? `?since=${since}` : ''}`));
    } catch (problem) {
      body.replaceChildren(problemBox(problem));
    }
  }
  return {element, ...polling(load, 5000)};
}

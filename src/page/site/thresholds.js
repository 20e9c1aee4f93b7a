// What other thresholds would have done with the decisions that were made, by replay; and whether
// the confidences mean what they say.
import {json} from './api.js';
import {count, h, number, percent, seconds, stack, svg} from './dom.js';
import {legend, partsOf, problemBox, segments, sourceOf} from './figures.js';

const movable = ['l1', 'l2', 'l3'];

function reliability(one) {
  const at = (value) => 24 + 200 * value;
  const up = (value) => 206 - 200 * value;
  const drawn = svg('svg', {class: 'reliability', viewBox: '0 0 240 232', role: 'img',
    'aria-label': `Reliability of ${one.tier}: ` + one.bins.map((bin) =>
      `of ${bin.count} at ${number(bin.forecast)}, ${percent(bin.observed)} right`).join('; ')},
    svg('rect', {class: 'frame', x: 24, y: 6, width: 200, height: 200}),
    svg('line', {class: 'ideal', x1: at(0), y1: up(0), x2: at(1), y2: up(1)}));
  for (const tick of [0, 0.5, 1]) {
    drawn.append(svg('text', {x: at(tick), y: 218, 'text-anchor': 'middle'}, String(tick)),
                 svg('text', {x: 20, y: up(tick) + 3, 'text-anchor': 'end'}, String(tick)));
  }
  drawn.append(svg('text', {x: 124, y: 229, 'text-anchor': 'middle'}, 'confidence'));
  const most = Math.max(...one.bins.map((bin) => bin.count));
  for (const bin of one.bins) {
    drawn.append(svg('line', {class: 'whisker', x1: at(bin.forecast), x2: at(bin.forecast),
                              y1: up(bin.observed_low), y2: up(bin.observed_high)}),
      svg('circle', {class: `f${one.tier.slice(1)}`, cx: at(bin.forecast), cy: up(bin.observed),
                     r: 3 + 4 * Math.sqrt(bin.count / most)},
          svg('title', {}, `${bin.count} answers at ${number(bin.forecast)}: ` +
                           `${percent(bin.observed)} right`)));
  }
  return drawn;
}

export function thresholdsView() {
  let stats = null;
  let tier = null;
  let wanted = {};
  let timer = null;
  let latest = 0;
  const sliders = h('div', {class: 'sliders'});
  const result = h('div', {role: 'status', class: 'stacked'});
  const diagram = h('div', {class: 'stacked'});
  const note = h('p', {class: 'small muted'});
  const element = h('div', {class: 'page'}, h('h1', {class: 'hidden'}, 'Thresholds'),
    h('div', {class: 'two'},
      h('section', {class: 'panel stacked'}, h('h2', {}, 'What if'),
        h('p', {class: 'muted small'}, 'The cascade climbs again over what was decided, with ' +
          'these thresholds. No model runs, and nothing changes.'), sliders, result),
      h('section', {class: 'panel stacked'},
        h('h2', {}, 'Does confidence mean what it says?'), diagram)),
    note);

  function drawSliders() {
    sliders.replaceChildren(...movable.map((name) => {
      const now = stats.thresholds[name] ?? 0.5;
      const value = wanted[name] ?? now;
      const shown = h('output', {for: `slider-${name}`}, number(value));
      const slider = h('input', {type: 'range', id: `slider-${name}`, min: '0', max: '1',
        step: '0.01', on: {input: () => {
          wanted[name] = Number(slider.value);
          shown.textContent = number(wanted[name]);
          clearTimeout(timer);
          timer = setTimeout(replay, 120);
        }}});
      slider.value = value;
      return h('div', {class: 'slider'}, h('label', {for: `slider-${name}`},
        `${name.toUpperCase()} (now ${number(now)})`), slider, shown);
    }), h('div', {}, h('button', {type: 'button', on: {click: () => {
      wanted = {};
      drawSliders();
      replay();
    }}}, 'Reset')));
  }

  async function replay() {
    const mine = ++latest;
    const thresholds = {};
    for (const name of movable) thresholds[name] = wanted[name] ?? stats.thresholds[name] ?? 0.5;
    let report;
    try {
      report = await json('/v1/tinyarms/replay', {body: {thresholds}});
    } catch (problem) {
      if (mine === latest) result.replaceChildren(problemBox(problem));
      return;
    }
    if (mine === latest) drawReport(report);
  }

  function drawReport(report) {
    if (report.decisions === 0) {
      result.replaceChildren(h('p', {class: 'empty'}, 'Nothing was decided yet.'));
      return;
    }
    const used = report.before.given.map((amount, i) => amount + report.after.given[i] > 0);
    const accuracy = (side) => (side.accuracy === null ? 'not known' : percent(side.accuracy, 1) +
      ` [${side.accuracy_interval.map((value) => percent(value)).join(', ')}]`);
    const within = report.decisions - report.beyond_log;
    const cells = [['', 'then', 'with these'],
      ['time a question', seconds(report.before.seconds), seconds(report.after.seconds)],
      ['right', accuracy(report.before), accuracy(report.after)]];
    result.replaceChildren(h('div', {class: 'compare'},
        h('span', {class: 'muted'}, 'then'),
        stack(partsOf(report.before.given), 'Replies by tier, then'),
        h('span', {class: 'muted'}, 'with these'),
        stack(partsOf(report.after.given), 'Replies by tier, with these thresholds')),
      legend(used),
      h('table', {}, h('thead', {}, h('tr', {}, cells[0].map((text) =>
          h('th', {scope: 'col'}, text || h('span', {class: 'hidden'}, 'figure'))))),
        h('tbody', {}, cells.slice(1).map((line) => h('tr', {}, line.map(
          (text) => h('td', {class: 'wrap'}, text)))))),
      h('p', {class: 'small'}, `${count(report.changed)} of ${count(report.decisions)} end ` +
        `otherwise. Of those whose outcome was told: ${report.rescue} rescued, ${report.loss} ` +
        `lost, ${report.safe} right and ${report.hard} wrong both times.`),
      report.beyond_log > 0 && h('p', {class: 'notice small'}, `${count(report.beyond_log)} ` +
        'would ask a tier that was not asked then. What it would have said is not known and is ' +
        `not made up: times, tiers and outcomes above are of the other ${count(within)}.`) || '',
      ...report.notes.map((text) => h('p', {class: 'small muted'}, text)));
  }

  function drawDiagram() {
    const all = stats.outcomes;
    if (all.length === 0) {
      diagram.replaceChildren(h('p', {class: 'empty'}, 'No outcome was told yet. Mark answers as ' +
        'right or wrong in the playground or under Decisions, or let tests tell: ' +
        'tinyarms feedback last good.'));
      return;
    }
    const one = all.find((each) => each.tier === tier) ??
      all.reduce((most, each) => (each.outcomes > most.outcomes ? each : most));
    tier = one.tier;
    diagram.replaceChildren(
      segments('Tier', all.map((each) => [each.tier, each.tier.toUpperCase()]), tier, (value) => {
        tier = value;
        drawDiagram();
      }),
      reliability(one),
      h('p', {class: 'small'}, `${one.right} of ${one.outcomes} told outcomes were right. ECE ` +
        `${number(one.ece, 3)}, Brier ${number(one.brier, 3)}.`),
      h('p', {class: 'small muted'}, one.calibrated === 1 ? 'These confidences are calibrated.'
        : 'These confidences are uncalibrated, or in part: points off the diagonal are expected. ' +
          '`tinyarms calibrate` fits them.'),
      one.outcomes < 50 ? h('p', {class: 'small muted'}, 'Few outcomes: the bars (95 %) say how ' +
                                                         'little is known.') : '');
  }

  async function load() {
    try {
      stats = await json('/v1/tinyarms/stats');
    } catch (problem) {
      result.replaceChildren(problemBox(problem));
      return;
    }
    note.textContent = sourceOf(stats);
    drawSliders();
    drawDiagram();
    await replay();
  }
  return {element, enter: load};
}

// What was decided about one answer, and why: the `tinyarms` object of a reply, drawn.
import {badge, count, h, number, seconds, svg, tiers, tierNames} from './dom.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const verdicts = {
  accept: '✓ kept', escalate: '↑ passed on', abstain: '– nothing to say', fail: '✕ failed',
  skip: 'not asked', interrupt: '■ stopped',
};

// Answers as text: fenced code apart, `code` within lines; nothing is parsed as markup.
export function prose(text) {
  const parts = [];
  let code = null;
  let lines = [];
  const flush = () => {
    const whole = lines.join('\n').replace(/^\n+|\n+$/g, '');
    lines = [];
    if (code !== null) parts.push(codeBlock(whole));
    else if (whole) parts.push(paragraph(whole));
  };
  for (const line of text.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) {
      flush();
      code = code === null ? line.trim().slice(3) : null;
    } else {
      lines.push(line);
    }
  }
  flush();
  return parts;
}

function paragraph(text) {
  return h('p', {}, text.split(/(`[^`\n]+`)/).map((piece) => (
    piece.length > 2 && piece.startsWith('`') && piece.endsWith('`')
      ? h('code', {}, piece.slice(1, -1)) : piece)));
}

function codeBlock(text) {
  const copy = h('button', {type: 'button', class: 'quiet', on: {click: async () => {
    await navigator.clipboard?.writeText(text);
    copy.textContent = 'Copied';
    setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
  }}}, 'Copy');
  return h('div', {class: 'code'},
           h('pre', {tabindex: '0', role: 'region', 'aria-label': 'Code'}, h('code', {}, text)),
           copy);
}

// L0 → L1 → L2: who was asked, the one who answered last.
export function path(trace) {
  const asked = trace.filter((step) => step.decision !== 'skip');
  const line = h('span', {class: 'path', role: 'img', 'aria-label': 'Path: ' + asked.map(
    (step) => `${step.tier} ${step.decision}`).join(', ')});
  asked.forEach((step, index) => {
    if (index > 0) line.append(h('span', {class: 'arrow'}, '›'));
    const last = step.decision === 'accept' || index === asked.length - 1;
    line.append(badge(step.tier, last || step.decision === 'escalate' ? '' : 'idle'));
  });
  return line;
}

// P(correct) against the threshold.
function gauge(confidence, threshold, sure) {
  const at = (value) => `${Math.max(0, Math.min(1, value)) * 100}%`;
  const drawn = svg('svg', {class: 'gauge', role: 'img', 'aria-label':
    `confidence ${number(confidence)}` +
    (threshold === null ? '' : `, threshold ${number(threshold)}`)},
    svg('rect', {class: 'track', x: '0', y: '9', width: '100%', height: '8', rx: '4'}),
    svg('rect', {class: sure ? 'level' : 'unsure', x: '0', y: '9', width: at(confidence),
                 height: '8', rx: '4'}));
  if (threshold !== null) {
    drawn.append(svg('rect', {class: 'tick', x: at(threshold), y: '4', width: '2', height: '18'}));
  }
  return h('div', {}, drawn, h('div', {class: 'scale'}, h('span', {}, '0'),
    h('span', {}, threshold === null ? 'no threshold was in force'
                                     : `threshold ${number(threshold)}`), h('span', {}, '1')));
}

// A cell a token, hotter where the model wavered between two.
function heat(trace) {
  const margins = [...trace].map((character) => alphabet.indexOf(character) / 63);
  if (margins.some((margin) => margin < 0)) return null;
  const least = Math.min(...margins);
  const at = margins.indexOf(least);
  return h('div', {},
    h('div', {class: 'heat', role: 'img', 'aria-label':
      `${margins.length} tokens; the smallest margin is ${number(least)}, at token ${at + 1}`},
      margins.slice(0, 1200).map((margin, index) => h('i', {
        class: `h${Math.min(7, Math.floor((1 - margin) * 8))}`,
        title: `token ${index + 1}: margin ${number(margin)}`}))),
    h('p', {class: 'small muted'}, `${margins.length} tokens, in order. Hot: the two likeliest ` +
      `were close. Smallest margin ${number(least)}, at token ${at + 1}.`));
}

// The same with the tokens' texts, where they were asked for; the mark is for the probability.
function texts(tokens) {
  const shown = tokens.map(({token, logprob, top_logprobs: top}) => {
    const p = Math.exp(logprob);
    const others = (top ?? []).filter((one) => one.token !== token)
      .map((one) => `${JSON.stringify(one.token)} ${number(Math.exp(one.logprob))}`);
    return h('span', {class: `h${Math.min(7, Math.floor((1 - p) * 8))}`,
                      title: `${JSON.stringify(token)} ${number(p)}` +
                             (others.length > 0 ? `; else ${others.join(', ')}` : '')}, token);
  });
  return h('div', {}, h('p', {class: 'tokens'}, shown), h('p', {class: 'small muted'},
    `${tokens.length} tokens, marked by their probability (hot: unlikely); point at one to see ` +
    'what else was likely.'));
}

const words = {
  tokens: 'tokens', p_mean: 'mean token probability', p_min: 'least token probability',
  p_q10: 'token probability, 10 % quantile', logprob_mean: 'mean log-probability',
  margin_mean: 'mean margin', margin_min: 'least margin', margin_q10: 'margin, 10 % quantile',
  entropy_mean: 'mean entropy (nats)', entropy_max: 'largest entropy (nats)',
  finished: 'ended by itself', code_language: 'code', code_parses: 'code parses',
  rule_findings: 'findings of code rules', rule_bug: 'of these, bugs',
  rule_security: 'of these, security', undefined_names: 'undefined names', rule: 'rule',
  exact: 'right by construction', similarity: 'cosine to the earlier question',
  similarity_min: 'cosine asked for', gate: 'what differs', cached_question: 'question then',
  cached_tier: 'answered then by', cached_confidence: 'confidence then', intent: 'kind of question',
  intent_probability: 'probability of that kind', intent_margin: 'over the next kind',
  sources: 'sources', passage_strength: 'strength of the passages', compiles: 'compiles',
  examples_pass: 'examples pass', p_true: 'says it is right',
  draft_matches: 'agrees with the draft',
};
const first = ['finished', 'code_parses', 'compiles', 'examples_pass', 'p_mean', 'p_min',
               'margin_mean', 'margin_min', 'entropy_mean', 'intent', 'intent_probability', 'rule',
               'exact', 'similarity', 'cached_question', 'cached_tier', 'sources', 'code_language',
               'rule_findings', 'undefined_names'];

function shown(value) {
  if (value === true) return '✓ yes';
  if (value === false) return '✕ no';
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : number(value, 3);
  return String(value);
}

function pairs(entries) {
  return h('dl', {class: 'pairs'}, entries.map(([name, value]) => [
    h('dt', {}, words[name] ?? name.replaceAll('_', ' ')), h('dd', {}, shown(value))]));
}

function evidence(trace) {
  const all = {};
  for (const step of trace) Object.assign(all, step.evidence);  // the highest tier's last
  delete all.margin_trace;
  const known = first.filter((name) => name in all && all[name] !== null);
  const rest = Object.keys(all).filter((name) => !first.includes(name) && all[name] !== null);
  if (known.length + rest.length === 0) return h('p', {class: 'muted small'}, 'None was measured.');
  return [pairs(known.map((name) => [name, all[name]])),
          rest.length > 0 && h('details', {}, h('summary', {}, `${rest.length} more`),
                               pairs(rest.map((name) => [name, all[name]])))];
}

function steps(trace, winner) {
  return h('ol', {class: 'steps'}, trace.map((step) => {
    const index = tiers.indexOf(step.tier);
    const asked = step.decision !== 'skip';
    const answered = step.decision === 'accept' || step.decision === 'escalate';
    return h('li', {class: asked ? '' : 'off'}, badge(step.tier, answered ? '' : 'idle'),
      h('span', {}, step.decision === 'escalate' && step.tier === winner
        ? '≈ given, not surely' : verdicts[step.decision] ?? step.decision,
        h('span', {class: 'muted'}, ` · ${step.source || tierNames[index]}`)),
      h('span', {class: 'muted'}, asked ? seconds(step.seconds) : ''),
      h('p', {class: 'why'}, step.decision === 'accept' ? '' : step.reason,
        step.notice ? ` ${step.notice}` : ''));
  }));
}

function cost(facts) {
  const trace = facts.trace ?? [];
  const sum = (name) => trace.reduce((all, step) => all + (step.cost?.[name] ?? 0), 0);
  const rows = [['time', seconds(facts.cost?.seconds)],
                ['tokens read', count(facts.cost?.prompt_tokens)],
                ['tokens written', count(facts.cost?.completion_tokens)]];
  if (sum('load_seconds') > 0) rows.push(['of it, loading a model', seconds(sum('load_seconds'))]);
  if (sum('prefill_seconds') > 0) rows.push(['of it, reading', seconds(sum('prefill_seconds'))]);
  if (sum('decode_seconds') > 0) {
    rows.push(['of it, writing', seconds(sum('decode_seconds'))]);
    rows.push(['tokens a second', number(sum('completion_tokens') / sum('decode_seconds'), 1)]);
  }
  return h('dl', {class: 'pairs'},
           rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

// What kind of number the confidence is.
const exact = (facts) => (facts.trace ?? []).some(
  (step) => step.tier === facts.tier && step.evidence?.exact === true);
const kindOf = (facts) => (exact(facts) ? 'by construction'
                           : facts.calibrated ? 'calibrated' : 'uncalibrated');

// Why a number is no probability of being right, where it is none.
function meaning(facts) {
  if (facts.confidence === null) return 'No confidence was measured.';
  if (facts.certified) return 'Calibrated, and covered by a certificate.';
  if (facts.calibrated) return 'Calibrated: fitted to outcomes of this model on such questions.';
  if (exact(facts)) return 'A rule matched; its answer is right by construction.';
  return 'Uncalibrated: no calibrator belongs to what served this answer, so a formula over its ' +
         'tokens stands in. It ranks answers; it is not a chance of being right.';
}

// `act`: {again(tier, threshold), judgement}, what may be done with it. `tokens`: with their
// log-probabilities, where those were asked for.
export function factsOf(facts, act, tokens) {
  const trace = facts.trace ?? [];
  const margins = trace.findLast((step) => step.evidence?.margin_trace)?.evidence.margin_trace;
  const drafts = trace.filter((step) => step.decision === 'escalate' && step.answer);
  const tier = h('select', {'aria-label': 'Tier to ask'},
    h('option', {value: ''}, 'the cascade'),
    tiers.map((name, i) => h('option', {value: name}, `${name.toUpperCase()} ${tierNames[i]}`)));
  const threshold = h('input', {type: 'number', min: '0', max: '1', step: '0.05',
                                placeholder: '–', 'aria-label': 'Threshold', class: 'short'});
  return h('div', {class: 'facts'}, h('h2', {class: 'hidden'}, 'Why this answer'),
    h('section', {},
      h('div', {class: 'verdict'}, badge(facts.tier), h('strong', {}, facts.source ?? ''),
        h('span', {class: facts.sure ? 'good' : 'bad'}, facts.sure ? '✓ sure' : '✕ not sure')),
      facts.notice && h('p', {class: 'notice small'}, facts.notice)),
    h('section', {}, h('h3', {}, 'P(correct)'),
      h('div', {class: 'row apart'}, h('span', {class: 'big'}, number(facts.confidence)),
        h('span', {class: 'muted small'}, kindOf(facts))),
      facts.confidence !== null && gauge(facts.confidence, facts.threshold, facts.sure),
      h('p', {class: 'small'}, facts.reason),
      h('p', {class: 'small muted'}, meaning(facts))),
    h('section', {}, h('h3', {}, 'Path'), steps(trace, facts.tier)),
    (margins || tokens.length > 0) && h('section', {}, h('h3', {}, 'Certainty, token by token'),
      margins && heat(margins), tokens.length > 0 && texts(tokens)),
    h('section', {}, h('h3', {}, 'Evidence'), evidence(trace)),
    h('section', {}, h('h3', {}, 'Cost'), cost(facts)),
    drafts.length > 0 && h('section', {}, h('h3', {}, 'Drafts that were not kept'),
      drafts.map((step) => h('details', {}, h('summary', {},
        `${step.tier.toUpperCase()} at ${number(step.confidence)}`), h('pre', {}, step.answer)))),
    h('section', {}, h('h3', {}, 'Ask again'),
      h('form', {class: 'row', on: {submit: (event) => {
        event.preventDefault();
        act.again(tier.value, threshold.value);
      }}}, tier, h('span', {class: 'muted small'}, 'from'), threshold,
      h('button', {type: 'submit'}, 'Resend'))),
    h('section', {}, h('h3', {}, 'Was it right?'), act.judgement),
    h('p', {class: 'small muted'}, 'trace ', h('span', {class: 'mono'}, facts.trace_id ?? ''),
      facts.decision_id ? [' · decision ', h('span', {class: 'mono'}, facts.decision_id)] : ''));
}

export const costLine = (facts) => [seconds(facts.cost?.seconds), ' · ',
  `${count(facts.cost?.completion_tokens ?? 0)} tokens`].join('');
export const sureLine = (facts) => (facts.confidence === null ? '' :
  `${number(facts.confidence)} ${kindOf(facts)}` +
  (facts.threshold === null ? '' : `, threshold ${number(facts.threshold)}`));

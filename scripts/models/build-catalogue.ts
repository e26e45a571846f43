/** From measured facts to the catalogue that is shipped: only what the terms of its sources allow, sorted, without a clock. */

import { defined } from '../../src/core/defined.ts';
import type { CardFacts, HostFacts, ModelCatalogue, ModelFacts, SpeedFacts } from '../../src/core/model/model-facts.ts';
import { plainName } from '../../src/kit/models/model-catalogue.ts';
import { mathsOf } from './maths.ts';
import type { Hosts } from './read-hosts.ts';
import type { MeasuredSpeed, Measures, Sources } from './read-measures.ts';

/** Hosts that other hosts' speed says nothing of: what was measured elsewhere is left out for them. */
const OTHER_HOSTS: readonly string[] = ['bedrock/', 'together/'];
/** The speed of these sources was measured at the vendor or a gateway, not at the hosts above. */
const ELSEWHERE: ReadonlySet<string> = new Set(['ctala', 'vercel', 'joonlab', 'groq-docs']);

/** Which values of a source's terms are shipped; `open`: only those whose every source is open or a fact of a vendor's page. */
export type Terms = 'usual' | 'open';

interface Building {
  readonly measures: Measures;
  readonly sources: Sources;
  readonly terms: Terms;
}

/** The same measures, sources and hosts give the same catalogue. @throws when a source of a value has no terms */
export function buildCatalogue(
  measures: Measures,
  sources: Sources,
  hosts: Hosts = {},
  terms: Terms = 'usual',
): ModelCatalogue {
  const { strengths, mapping } = measures;
  const building = { measures, sources, terms };
  const carded = new Set(Object.values(mapping.cards).map(({ canonical }) => canonical));
  const maths = mathsOf(measures.maths ?? [], strengths);
  const models: Record<string, ModelFacts> = {};
  for (const name of Object.keys(strengths.models).sort()) {
    const known = maths.get(name);
    const facts = modelFacts(name, known === undefined ? {} : { maths: known }, building, carded.has(name));
    if (facts !== undefined) models[name] = facts;
  }
  const cards = withHosts(cardFacts(building), Object.keys(models), hosts);
  return { version: strengths.version, sources: used(models, cards, sources), models, cards, hosts: hostsOf(hosts) };
}

function modelFacts(
  name: string,
  beside: ModelFacts['strengths'],
  { measures: { strengths, mapping }, sources, terms }: Building,
  isCarded: boolean,
): ModelFacts | undefined {
  const model = strengths.models[name];
  // A name in brackets is one that only one source uses.
  if (model === undefined || name.startsWith('[')) return undefined;
  const kept = Object.entries({ ...beside, ...model.fields })
    .filter(([, field]) => mayShip(field.sources, sources, isCarded, terms))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, { value, observations, sources: from }]) => [field, { value, observations, sources: from }] as const);
  const languages = new Set(
    Object.values(mapping.cards).flatMap((card) => (card.canonical === name ? (card.languages ?? []) : [])),
  );
  if (kept.length === 0 && languages.size === 0) return undefined;
  return {
    strengths: Object.fromEntries(kept),
    ...(languages.size === 0 ? {} : { measuredLanguages: [...languages].sort() }),
  };
}

/**
 * A value is shipped where at least one of its sources allows that; sources without stated terms allow it for models with a card
 * only, and sources that want to be asked first never do. By open terms, every source has to be open.
 */
function mayShip(from: readonly string[], sources: Sources, isCarded: boolean, terms: Terms): boolean {
  const uses = from.map((name) => {
    const source = sources[name];
    if (source === undefined) throw new Error(`The source "${name}" has no terms: add it to sources.json.`);
    return source.use;
  });
  const isOpen = (use: Sources[string]['use']): boolean => use === 'open' || use === 'fact';
  return terms === 'open' ? uses.every(isOpen) : uses.some((use) => isOpen(use) || (use === 'cards-only' && isCarded));
}

function cardFacts({ measures: { mapping, lifecycle, speed }, sources, terms }: Building): Record<string, CardFacts> {
  const cards: Record<string, CardFacts> = {};
  for (const name of Object.keys(mapping.cards).sort()) {
    const canonical = mapping.cards[name]?.canonical ?? name;
    const life = lifecycle.cards[name];
    const known = speedFacts(name, canonical, speed, { sources, terms });
    cards[name] = {
      model: canonical,
      ...(known === undefined ? {} : { speed: known }),
      ...(life === undefined ? {} : { lifecycle: lifecycleOf(life) }),
    };
  }
  for (const [model, endsOn] of Object.entries(lifecycle.vertex ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const same = cards[`google/${model}`];
    const ended = { stage: 'retired', endsOn, sources: ['vendor page of Vertex AI'] } as const;
    cards[`google-vertex/${model}`] = { model: same?.model ?? model, lifecycle: ended };
  }
  return cards;
}

/** What the pages of the vendors say goes before what others say of the same models. */
function withHosts(
  cards: Readonly<Record<string, CardFacts>>,
  names: readonly string[],
  hosts: Hosts,
): Record<string, CardFacts> {
  const byName = new Map(names.map((name) => [plainName(name), name]));
  const all: Record<string, CardFacts> = { ...cards };
  for (const [host, { models = {}, ended }] of Object.entries(hosts)) {
    for (const [id, { retention }] of Object.entries(models)) {
      const key = `${host}/${id}`;
      all[key] = { ...(all[key] ?? { model: byName.get(plainName(id)) ?? plainName(id) }), retention };
    }
    if (ended === undefined) continue;
    for (const [key, facts] of Object.entries(all)) {
      if (!key.startsWith(`${host}/`)) continue;
      all[key] = { ...facts, lifecycle: retired(facts.lifecycle, ended) };
    }
  }
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const retired = (
  before: CardFacts['lifecycle'],
  { on, source }: NonNullable<Hosts[string]['ended']>,
): NonNullable<CardFacts['lifecycle']> => ({
  ...before,
  stage: 'retired',
  endsOn: on,
  sources: [...(before?.sources ?? []), source],
});

const hostsOf = (hosts: Hosts): Record<string, HostFacts> =>
  Object.fromEntries(
    Object.entries(hosts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { retention, regions }]) => [name, defined({ retention, regions })]),
  );

function lifecycleOf({
  stage,
  released,
  knowledge,
  endsOn,
  notBefore,
  replacement,
  sources = [],
}: Measures['lifecycle']['cards'][string]): NonNullable<CardFacts['lifecycle']> {
  return {
    stage: stage === 'active' ? 'stable' : stage,
    ...(released === undefined ? {} : { released }),
    ...(knowledge === undefined ? {} : { knowledge }),
    ...(endsOn === undefined ? {} : { endsOn }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(replacement === undefined ? {} : { replacement }),
    sources,
  };
}

/** Undefined where nothing was measured at this host, or no source of it may be shipped. */
function speedFacts(
  card: string,
  canonical: string,
  { cards, models }: MeasuredSpeed,
  { sources, terms }: Pick<Building, 'sources' | 'terms'>,
): SpeedFacts | undefined {
  const given = cards[card];
  if (given === undefined) return undefined;
  const { ttftMs, tokensPerSecond, expectedMs } = given;
  const measured = models[canonical]?.measurements ?? [];
  const isMeanCall = tokensPerSecond === undefined;
  const from = [
    ...new Set(
      measured
        .filter(({ metric, value }) =>
          isMeanCall
            ? metric === 'bfcl-latency-mean' && Math.round(value * 1000) === expectedMs
            : /tps/.test(metric) && Math.abs(value - tokensPerSecond) < 0.05,
        )
        .map(({ source }) => source),
    ),
  ].sort();
  const isElsewhere = OTHER_HOSTS.some((host) => card.startsWith(host)) && from.every((name) => ELSEWHERE.has(name));
  if (from.length === 0 || isElsewhere || !mayShip(from, sources, true, terms)) return undefined;
  return {
    ...(ttftMs === undefined ? {} : { firstTokenMs: ttftMs }),
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
    expectedMs,
    basis: isMeanCall ? 'mean-call' : ttftMs === undefined ? 'rate-measured' : 'measured',
    sources: from,
  };
}

/** The terms of every source that a shipped value names. */
function used(
  models: Readonly<Record<string, ModelFacts>>,
  cards: Readonly<Record<string, CardFacts>>,
  sources: Sources,
): ModelCatalogue['sources'] {
  const named = new Set<string>();
  for (const { strengths } of Object.values(models)) {
    for (const { sources: from } of Object.values(strengths)) for (const name of from) named.add(name);
  }
  for (const { speed } of Object.values(cards)) for (const name of speed?.sources ?? []) named.add(name);
  return Object.fromEntries(
    [...named].sort().map((name) => {
      const source = sources[name];
      if (source === undefined) throw new Error(`The source "${name}" has no terms: add it to sources.json.`);
      const { from, date, licence } = source;
      return [name, { from, date, licence }];
    }),
  );
}

/** One line a model and a card, so that a change is a line of a diff. */
export function catalogueText({ version, sources, models, cards, hosts }: ModelCatalogue): string {
  const lines = (all: Readonly<Record<string, unknown>>): string =>
    Object.entries(all)
      .map(([name, facts]) => `    ${JSON.stringify(name)}: ${JSON.stringify(facts)}`)
      .join(',\n');
  return `{
  "version": ${JSON.stringify(version)},
  "sources": {\n${lines(sources)}\n  },
  "models": {\n${lines(models)}\n  },
  "cards": {\n${lines(cards)}\n  },
  "hosts": {\n${lines(hosts)}\n  }
}
`;
}

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions: The above copyright notice and this permission notice shall be
included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND,
EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.`;

/** The notices that the sources ask for. */
export function noticesText({ version, sources }: ModelCatalogue): string {
  const lines = Object.entries(sources).map(
    ([name, { from, date, licence }]) => `- ${name}: ${from} (${date}). Licence: ${licence}.`,
  );
  return `Facts about models in catalogue/models.json, version ${version}
================================================================

The file holds figures that were calculated from public measurements, each with the names of its sources. No table, text or
program of a source is part of this package.

Sources of strengths and speed:

${lines.join('\n')}

Statements on keeping requests and on regions are single facts of the pages of the vendors, named beside each.

Sources of dates, all under the MIT licence, and the pages of the vendors:

- litellm: Copyright (c) 2023 Berri AI.
- modeldeprecations.dev: Copyright (c) 2026 modeldeprecations.dev contributors.
- models.dev: github.com/anomalyco/models.dev.
- deprecations-rss: github.com/deprecations/deprecations-rss.

Texts of the licences: MIT below; Apache-2.0: https://www.apache.org/licenses/LICENSE-2.0 and the file LICENSE of this package;
CC-BY-4.0: https://creativecommons.org/licenses/by/4.0/legalcode. "not stated": single figures of a public table, without its rows.

${MIT}
`;
}

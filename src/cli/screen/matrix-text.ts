/** What is known of models, field by field, with where it is from. */
import { type HostFacts, STRENGTH_FIELDS } from '../../core/model/model-facts.ts';
import { cutMiddle, oneLine } from '../../drawing/plain-text.ts';
import { hostFacts, modelCatalogue } from '../../kit/models/model-catalogue.ts';
import { speedOf } from '../../kit/models/speed.ts';
import { type StrengthFigure, strengthFigure } from '../../kit/models/strengths.ts';
import type { FactDifference } from '../input/facts-difference.ts';
import { type ListedModel, listedModelName } from '../input/listed-model.ts';
import { tableText } from './result-text.ts';
import type { Paint } from './terminal.ts';

const LONGEST_NAME = 48;
/** Behind a figure that was not measured as it is. */
const MARKS: Readonly<Record<StrengthFigure['basis'], string>> = {
  measured: '',
  derived: '*',
  assumed: '~',
  card: "'",
  own: '!',
};
const LEGEND =
  "0 to 1; nothing: unknown; kept: for how many days at most. No mark: measured, *: derived from measured ones, ~: assumed, ': stated by the card, !: your own.";

/** A row a model, a column a field, then its speed and whether requests are kept; the sources of its figures in the last column. */
export function matrixTable(models: readonly ListedModel[], paint: Paint): string {
  const fields = STRENGTH_FIELDS.filter((field) => models.some((model) => strengthFigure(model, field) !== undefined));
  const rows = models.map((model) => [
    cutMiddle(oneLine(listedModelName(model)), LONGEST_NAME),
    ...fields.map((field) => cellOf(strengthFigure(model, field))),
    speedCell(model),
    keptCell(hostOf(model)),
    sourcesOf(model).join(' '),
  ]);
  const table = tableText([['model', ...fields, 'ms', 'kept', 'sources'], ...rows], paint);
  return [table, '', paint.dim(LEGEND), ...sourceLines(models).map((line) => paint.dim(line))].join('\n');
}

const cellOf = (figure: StrengthFigure | undefined): string =>
  figure === undefined ? '' : `${figure.value.toFixed(2)}${MARKS[figure.basis]}`;

const speedCell = (model: ListedModel): string => {
  const speed = speedOf(model);
  return speed?.expectedMs === undefined ? '' : String(Math.round(speed.expectedMs));
};

const hostOf = ({ provider, card }: ListedModel): HostFacts => hostFacts(provider, card.id);

function keptCell({ retention }: HostFacts): string {
  if (retention === undefined) return '';
  if (retention.keeps === 'none') return 'no';
  return retention.days === undefined ? 'yes' : `${retention.days} d`;
}

function sourcesOf(model: ListedModel): readonly string[] {
  const figures = STRENGTH_FIELDS.map((field) => strengthFigure(model, field));
  const named = [...figures, speedOf(model)].flatMap((figure) => figure?.sources ?? []);
  return [...new Set(named)].sort();
}

function sourceLines(models: readonly ListedModel[]): readonly string[] {
  const { sources, version } = modelCatalogue();
  const named = [...new Set(models.flatMap(sourcesOf))].sort();
  const lines = named.flatMap((name) => {
    const terms = sources[name];
    return terms === undefined ? [] : [`${name}: ${terms.from}, ${terms.date}, ${terms.licence}`];
  });
  return [`catalogue of ${version}`, ...lines, ...hostLines(models)];
}

/** What the vendors' pages say, once where several models of a provider have the same. */
function hostLines(models: readonly ListedModel[]): readonly string[] {
  const lines = models.flatMap((model) => {
    const { retention, regions } = hostOf(model);
    const where = [
      ...(regions?.runs === undefined ? [] : [`runs in: ${regions.runs.join(', ')}`]),
      ...(regions?.keptIn === undefined ? [] : [`keeps in: ${regions.keptIn.join(', ')}`]),
    ];
    return [
      ...(retention === undefined
        ? []
        : [`${model.provider} kept ${keptCell({ retention })}: ${retention.source}, ${retention.date}`]),
      ...(regions === undefined ? [] : [`${model.provider} ${where.join('; ')}: ${regions.source}, ${regions.date}`]),
    ];
  });
  return [...new Set(lines)].sort();
}

/** The same with every source, as a document. */
export const matrixDocument = (models: readonly ListedModel[]): object => ({
  version: modelCatalogue().version,
  sources: modelCatalogue().sources,
  models: models.map((model) => ({
    model: listedModelName(model),
    tier: model.card.tier,
    strengths: Object.fromEntries(
      STRENGTH_FIELDS.flatMap((field) => {
        const figure = strengthFigure(model, field);
        return figure === undefined ? [] : [[field, figure]];
      }),
    ),
    speed: speedOf(model) ?? null,
    retention: hostOf(model).retention ?? null,
    regions: hostOf(model).regions ?? null,
  })),
});

/** One line a difference. */
export function differenceText(differences: readonly FactDifference[], paint: Paint): string {
  if (differences.length === 0) return 'Nothing differs.';
  const shown = (value: FactDifference['before']): string =>
    value === null ? '–' : typeof value === 'number' ? String(Number(value.toFixed(3))) : oneLine(value);
  const rows = differences.map(({ model, field, before, after }) => [
    cutMiddle(oneLine(model), LONGEST_NAME),
    oneLine(field),
    shown(before),
    shown(after),
  ]);
  return tableText([['model', 'field', 'known', 'other'], ...rows], paint);
}

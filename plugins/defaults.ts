/** What a polyphony gets that was given no plugins: providers from the environment, escalation and read-only tools. */
import type { Config, EscalationRule, Plugin } from 'polyphony/kit';

/** A config fits as it is. */
export interface DefaultPluginsOptions {
  /** Applied to every answer whose request says nothing itself. @default none */
  readonly escalate?: Config['escalate'] | undefined;
  /** `folder`: what the file tools may read, @default the current directory; `http` adds `http_get`, @default false */
  readonly tools?: Config['tools'] | undefined;
  /** Those that the environment names. @default true */
  readonly providers?: boolean;
}

/** Everything is imported when asked for, and all at once. */
export async function defaultPlugins(
  environment: Readonly<Record<string, string | undefined>>,
  options: DefaultPluginsOptions = {},
): Promise<readonly Plugin[]> {
  const { folder, http = false } = options.tools ?? {};
  const [{ providersFromEnvironment }, { escalation }, { validators }, { judge }, { fileTools }, { calculate }, web] =
    await Promise.all([
      import('./providers/environment.ts'),
      import('./escalation/escalation.ts'),
      import('./escalation/validators.ts'),
      import('./escalation/judge.ts'),
      import('./tools/files.ts'),
      import('./tools/calculate.ts'),
      http ? import('./tools/http.ts') : undefined,
    ]);
  return [
    ...(options.providers === false ? [] : await providersFromEnvironment(environment)),
    escalation(options.escalate === undefined ? {} : { policy: ruleOf(options.escalate) }),
    validators(),
    judge(),
    fileTools(folder === undefined ? {} : { folder }),
    calculate(),
    ...(web === undefined ? [] : [web.httpTool()]),
  ];
}

function ruleOf({ evaluator, to, below, context }: NonNullable<Config['escalate']>): EscalationRule {
  return {
    evaluator,
    to,
    ...(below === undefined ? {} : { below }),
    ...(context === undefined ? {} : { context }),
  };
}

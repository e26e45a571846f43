/** What a polyphony gets that was given no plugins: providers from the environment, escalation and read-only tools. */
import type { EscalationRule, Plugin } from 'polyphony';

export interface DefaultPluginsOptions {
  /** What the file tools may read. @default the current directory */
  readonly folder?: string;
  /** Add `http_get`. @default false */
  readonly http?: boolean;
  /** Applied to every answer whose request says nothing itself. @default none */
  readonly escalate?: EscalationRule;
}

/** Everything is imported when asked for, and all at once. */
export async function defaultPlugins(
  environment: Readonly<Record<string, string | undefined>>,
  options: DefaultPluginsOptions = {},
): Promise<readonly Plugin[]> {
  const { folder, http = false, escalate } = options;
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
    ...(await providersFromEnvironment(environment)),
    escalation(escalate === undefined ? {} : { policy: escalate }),
    validators(),
    judge(),
    fileTools(folder === undefined ? {} : { folder }),
    calculate(),
    ...(web === undefined ? [] : [web.httpTool()]),
  ];
}

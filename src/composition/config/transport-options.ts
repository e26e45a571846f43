/** The options of the transport, from the config and the environment. */
import type { Config } from '../../core/config.ts';
import { defined } from '../../core/defined.ts';
import type { ProxySettings } from '../../gateway/transport/proxy.ts';
import type { TransportOptions } from '../../gateway/transport/transport.ts';
import { secretOf } from '../../system/secret.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The gateway ends each attempt by its own timeouts, so the socket has none: a second clock would end those that a config made
 * longer.
 */
export function transportOptions(config: Config, environment: Environment): TransportOptions {
  const { timeouts, limits } = config;
  return {
    headersTimeoutMs: 0,
    idleTimeoutMs: 0,
    proxy: proxySettings(config, environment),
    ...defined({ connectTimeoutMs: timeouts?.connectMs, maxAnswerBytes: limits?.answers?.bytes }),
  };
}

/** An address with a password stands in a variable or a file, not in the config. */
const addressOf = (given: string | undefined): string | undefined =>
  given === undefined ? undefined : secretOf(given);

/** Each field of the config takes the place of its variables. Names in lower case come first, as in other programs. */
function proxySettings({ proxy = {} }: Config, environment: Environment): ProxySettings {
  const variable = (name: string): string | undefined =>
    environment[name.toLowerCase()]?.trim() || environment[name]?.trim() || undefined;
  // A web server sets HTTP_PROXY to a header of its caller for the programs that it starts.
  const http = environment.REQUEST_METHOD === undefined ? variable('HTTP_PROXY') : environment.http_proxy;
  return defined({
    http: addressOf(proxy.http) ?? http ?? variable('ALL_PROXY'),
    https: addressOf(proxy.https) ?? variable('HTTPS_PROXY') ?? variable('ALL_PROXY'),
    except: proxy.except ?? [variable('NO_PROXY') ?? ''],
  });
}

/** The files of a release: the tarball, the bill of what it installs, and their checksums. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { runCommand } from './run-command.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const CHECKSUMS = 'SHA256SUMS';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly devDependencies?: unknown;
}
interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}
interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}
interface Bill {
  readonly metadata: { readonly component: Readonly<Record<string, unknown>> };
}

const parsed = <Document>(path: string): Document => JSON.parse(readFileSync(path, 'utf8')) as Document;

/** @returns the path of the tarball in `folder` */
export function packInto(folder: string): string {
  // With the settings of the repository and without those of this machine, which may switch prepack off.
  const settings = join(folder, 'npmrc');
  const pack = ['npm', 'pack', '--userconfig', settings, '--json', '--pack-destination', folder];
  const [{ filename, size, unpackedSize }] = JSON.parse(runCommand(pack, { cwd: ROOT }));
  console.log(`${filename}: ${(size / 1e6).toFixed(1)} MB, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked`);
  return join(folder, filename);
}

/**
 * A software bill of materials in CycloneDX: every package that an installation may bring, with version, licence and checksum.
 * npm leaves out what is needed for development too, so it is asked about a project without any.
 *
 * @returns the path of the file in `folder`
 */
export function writeBill(folder: string): string {
  const { devDependencies: _, ...manifest } = parsed<Manifest>(join(ROOT, 'package.json'));
  const lock = parsed<Lock>(join(ROOT, 'package-lock.json'));
  const needed = Object.entries(lock.packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  const project = mkdtempSync(join(tmpdir(), 'polyphony-bill-'));
  try {
    writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
    const packages = { ...Object.fromEntries(needed), '': manifest };
    writeFileSync(join(project, 'package-lock.json'), JSON.stringify({ ...lock, packages }));
    const command = ['npm', 'sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'library'];
    const bill = JSON.parse(runCommand(command, { cwd: project })) as Bill;
    // npm takes the name of the folder for that of the package.
    const component = { ...bill.metadata.component, name: manifest.name };
    const path = join(folder, `${manifest.name}-${manifest.version}.cdx.json`);
    writeFileSync(path, `${JSON.stringify({ ...bill, metadata: { ...bill.metadata, component } }, undefined, 2)}\n`);
    return path;
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/** For `sha256sum --check`. @returns the path of the file in `folder` */
export function writeChecksums(folder: string, files: readonly string[]): string {
  const lines = files.map(
    (file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${basename(file)}\n`,
  );
  const path = join(folder, CHECKSUMS);
  writeFileSync(path, lines.join(''));
  return path;
}

/** @returns the paths of the tarball, the bill of materials and the checksums */
export function releaseInto(folder: string): { readonly tarball: string; readonly files: readonly string[] } {
  mkdirSync(folder, { recursive: true });
  const tarball = packInto(folder);
  const bill = writeBill(folder);
  return { tarball, files: [tarball, bill, writeChecksums(folder, [tarball, bill])] };
}

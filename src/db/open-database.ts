// Opens the authoritative database: the file, its schema, one writer and one reader.
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from '../app/ports/database.ts';
import { openReader, openWriter } from './connection.ts';
import { migrate } from './migrate.ts';
import { SqliteDatabase } from './sqlite-database.ts';

const IN_MEMORY = ':memory:';
const OWNER_ONLY = 0o600;

/**
 * Opens the database, makes it when it is not there, and brings its schema up to date.
 * @param file its path, or `:memory:` for one that vanishes with the process.
 * @throws AppError DATABASE_TOO_NEW when a newer version of the program made it.
 */
export async function openDatabase({ file }: { readonly file: string }): Promise<Database> {
  if (file !== IN_MEMORY) makeFile(file);
  const writer = open(file);
  try {
    await migrate(writer, file);
    return new SqliteDatabase(writer, file === IN_MEMORY ? undefined : openReader(file));
  } catch (error) {
    writer.close();
    throw error;
  }
}

function open(file: string): ReturnType<typeof openWriter> {
  try {
    return openWriter(file);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`the database ${file} cannot be opened: ${message}`, { cause: error });
  }
}

/** SQLite gives its side files the mode of the main one, so that one is made first, for us alone. */
function makeFile(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', OWNER_ONLY));
  chmodSync(file, OWNER_ONLY);
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

/** Whether a data directory holds a record, without making one. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether an embedded PostgreSQL was ever started on the directory; see `Home` for the names. Never rejects. */
export const holdsCluster = async (dataDirectory: string): Promise<boolean> => {
  const found = await Promise.all(
    ['postgres', 'postgres.location'].map((name) =>
      access(join(dataDirectory, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
};

import { describe, expect, test } from 'vitest';
import { addressOf, recordClientConfig, withServerOptions } from '../../../src/adapters/postgres/connect.ts';

describe('the address of a URL', () => {
  test('has host, port, user, password and database, without the encoding', () => {
    expect(addressOf('postgresql://night:p%40ss@db.lan:5433/nights')).toEqual({
      host: 'db.lan',
      port: 5_433,
      user: 'night',
      password: 'p@ss',
      database: 'nights',
    });
  });

  test('keeps what it says of TLS', () => {
    expect(addressOf('postgres://db.lan/nights?sslmode=disable').ssl).toBe(false);
    expect(addressOf('postgres://db.lan/nights?sslmode=verify-full').ssl).toBeTruthy();
  });

  test('may be a Unix socket', () => {
    expect(addressOf('postgresql:///nights?host=/run/postgresql')).toMatchObject({
      host: '/run/postgresql',
      database: 'nights',
    });
  });

  test('keeps its own options for the session beside ours', () => {
    const address = addressOf('postgresql://db.lan/nights?options=-c%20statement_timeout%3D60000');
    expect(recordClientConfig(address).options).toMatch(
      /^-c statement_timeout=60000 -c search_path=nightshift /u,
    );
    expect(withServerOptions({}, '-c a=b').options).toBe('-c a=b');
  });
});

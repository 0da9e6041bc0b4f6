/** The pages that ask a browser for the token, and that end its session. They load nothing, run nothing, and follow the browser's light or dark. */
import { createHash } from 'node:crypto';

/** A page and the policy that lets a browser use its style and its form, and nothing else. */
export interface LoginPage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2333; --soft: #5d6780; --paper: #f4f5f9; --card: #fff; --line: #d5d9e4; --accent: #3f51b5; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf3; --soft: #98a2bb; --paper: #10141f; --card: #191f2e; --line: #323b52; --accent: #93a4ff; --bad: #ff9c94; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 23rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h1 { display: flex; align-items: center; gap: .6rem; margin: 0 0 1.25rem; font-size: 1.35rem; }
svg { width: 1.6rem; height: 1.6rem; fill: var(--accent); }
label { display: block; margin-bottom: .35rem; font-weight: 600; }
input { width: 100%; padding: .6rem .75rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .4rem; }
button { width: 100%; margin-top: 1rem; padding: .6rem; font: inherit; font-weight: 600; color: var(--card); background: var(--accent); border: 0; border-radius: .4rem; cursor: pointer; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
p { margin: .5rem 0 0; font-size: .875rem; color: var(--soft); }
a { color: var(--accent); }
p[role=alert] { margin: 0 0 1rem; color: var(--bad); }
code { font-size: .95em; }
`;

const MOON =
  '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M20.7 14.6A9 9 0 0 1 9.4 3.3a9 9 0 1 0 11.3 11.3z"/></svg>';

/** The page; after the login it goes on to `next`, a path on this server. */
export const loginPage = (next: string, wasWrong: boolean): LoginPage =>
  pageWith(`<form method="post" action="/login?${new URLSearchParams({ next }).toString()}">
${wasWrong ? '<p role="alert">That is not the token of this service.</p>' : ''}
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
<p>What <code>NIGHTSHIFT_API_TOKEN</code> is where the service runs.</p>
</form>`);

/** The page that ends a session: links can only lead to it, a button does it. */
export const logoutPage = (): LoginPage =>
  pageWith(`<form method="post" action="/logout">
<button autofocus>Log out</button>
<p>The service goes on without you. <a href="/board">Back to the board</a></p>
</form>`);

const pageWith = (form: string): LoginPage => ({
  html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Nightshift</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${MOON} Nightshift</h1>
${form}
</main>
</body>
</html>
`,
  contentSecurityPolicy: `default-src 'none'; style-src 'sha256-${sha256(STYLE)}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64');

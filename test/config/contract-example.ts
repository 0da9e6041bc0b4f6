/** The configuration that the architecture gives as its contract, word for word. */
export const CONTRACT_EXAMPLE = `providers:
  groq: {}                         # from the catalog; key from GROQ_API_KEY
  gemini: { reserve: 20% }         # leave a fifth of every limit for other uses of this key
  home:
    baseUrl: http://127.0.0.1:8080/v1
    apiKeyEnv: HOME_LLM_KEY        # optional for local servers
    tier: local                    # free | trial | paid | local
    trainsOnData: false
    concurrency: 8
    limits:
      - { requests: 200, per: 1d, window: calendar, timeZone: America/Los_Angeles }
    models:
      llama-8b:
        contextTokens: 131072
        maxOutputTokens: 8192
        concurrency: 4
        timeout: 2m
        limits:
          - { requests: 30, per: 1m }                                        # rolling unless said
          - { tokens: 6000, per: 1m, window: refill }
          - { tokens: 500000, per: 1d, window: fixed, anchor: 2026-11-20T04:00:00Z }
pools:
  small: [groq/gpt-oss-20b, home/llama-8b]
aliases:
  gpt-4o-mini: small
`;

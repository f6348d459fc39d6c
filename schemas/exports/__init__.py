"""The contract in the languages of others: AsyncAPI, TypeScript, OpenAPI; and what a change of it would break."""

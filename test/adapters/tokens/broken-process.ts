/** A counting process that cannot start, as with half an installation. */
throw new Error('the vocabulary is missing');

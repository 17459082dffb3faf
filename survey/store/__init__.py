"""The database of a study: people, answers, and the promise to keep or erase them.

Read in this order: `tables`, `database` (connections), `writer` (commits), `codes`
(access), `versions` (migrations), `studies` (what is fielded), `people` (who),
`progress` (what they answered), `erasure`, `overview` (counts), `backup`.
"""

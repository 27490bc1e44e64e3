"""``unheard recipes``, ``protocols`` and ``labels``: what there is to choose from."""

from __future__ import annotations

import click

from unheard.cli.main import main


@main.command()
def protocols() -> None:
    """List the protocols: how a corpus is cut into folds."""
    from unheard.protocols import PROTOCOLS, usage

    for name in PROTOCOLS:
        click.echo(f"{usage(name)}\n    {(PROTOCOLS[name].__doc__ or '').strip().splitlines()[0]}")


@main.command("labels")
@click.argument("name", required=False)
def list_labels(name: str | None) -> None:
    """List the built-in label mappings, or show what NAME does."""
    import yaml

    from unheard.corpora.mapping import LabelMapping, mapping_names

    if name:
        click.echo(yaml.safe_dump(LabelMapping.load(name).to_dict(), sort_keys=False, allow_unicode=True), nl=False)
        return
    for known in mapping_names():
        mapping = LabelMapping.load(known)
        click.echo(f"{known:36}{mapping.about}{f'  [{mapping.source}]' if mapping.source else ''}")


@main.command()
@click.argument("name", required=False)
def recipes(name: str | None) -> None:
    """List the built-in recipes, or show what NAME is made of."""
    import yaml

    from unheard.recipe import Recipe, recipe_names, search_of

    if name:
        click.echo(Recipe.load(name).to_yaml(), nl=False)
        if search := search_of(name):
            click.echo(yaml.safe_dump({"search": search}, sort_keys=False, allow_unicode=True), nl=False)
        return
    width = max(map(len, recipe_names())) + 2
    for known in recipe_names():
        recipe = Recipe.load(known)
        click.echo(f"{known:{width}}{recipe.about}{f'  [{recipe.source}]' if recipe.source else ''}")

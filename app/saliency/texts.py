"""The page's words: definitions, findings in a sentence, and what to do where something lacks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import cache, filters
from app.methods import METHOD_MEANINGS, METHOD_TITLES, SIGNED_METHODS
from app.numbers import figure, how_sure, number, p_value
from app.onepath import why_one_path
from app.saliency.measures import MOST_RESAMPLED, RESAMPLES, Cell, Related
from app.saliency.subject import Choice, View
from app.settings import settings
from drnn_core.analysis.evidence import SLOW_METHODS, Method
from drnn_core.analysis.relations import Relation
from drnn_core.inference.facts import NetworkFacts

_RHO = (
    "Spearman's rank correlation, −1 to 1: 0 is no relation, 1 that whoever has more loops has "
    "more of it."
)
_SLOW_LIMIT = 1000


def heading(run: cache.Run) -> None:
    """Title of the page, what it asks, and that decisions are held."""
    assert run.info is not None
    st.title("Saliency & loops", anchor=False)
    st.caption(f"{run.info.title}, trained on {run.info.dataset}")
    st.markdown(
        "Do images that loop more rest on other evidence? Attribution gives each pixel a share in "
        "the predicted class's logit; a few numbers say where that evidence lies, and each is set "
        "against the loops that the image ran.",
    )
    st.caption(
        "The gates’ decisions are held at those of each image while its evidence is attributed. "
        "Attribution looks at changed images: blanked in part, blended, or moved a little. They "
        "would meet the gates anew and might take another path, and the map would mix the "
        "evidence in the picture with a change of network."
    )


def sampled(table: cache.Table) -> None:
    """Of which records the page is, where not of all."""
    if table.sampled:
        st.caption(
            f"A sample of {len(table.frame):,} of the {table.header.rows:,} records, always the "
            "same."
        )


def one_path(facts: NetworkFacts) -> None:
    """Instead of relations, where no image loops more than another."""
    st.info(
        f"This network {why_one_path(facts)}: no image loops more than another, so there is "
        "nothing to relate. Choose a run whose loops differ in the sidebar. Whether its maps "
        "depend on the weights can be checked all the same."
    )


def nothing_left() -> None:
    """Instead of relations of no image."""
    st.info("No image meets the filters.")
    st.button("Show all", on_click=filters.clear)


def overview_title(view: View) -> None:
    """Heading of the matrix."""
    kept = int(view.keep.sum())
    st.subheader(
        "All at once",
        anchor=False,
        width="content",
        help=(
            f"{_RHO} Each cell: a statistic of a method's evidence with the loops of the "
            f"{kept:,} images. Bold: the 95 % interval leaves out 0 (by formula: Fisher's, with "
            "Bonett and Wright's standard error). Blue is positive, orange negative. Click a cell "
            "to see it below."
        ),
    )


def overview_note(view: View, cells: Sequence[Cell]) -> None:
    """How many images and relations those are."""
    known = [cell for cell in cells if cell.relation is not None]
    kept, rows = int(view.keep.sum()), len(view.keep)
    which = f"{rows:,} images" if kept == rows else f"{kept:,} of {rows:,} images"
    st.caption(
        f"Spearman’s ρ with loops per image, {which}. {len(known)} relations are looked at, and no "
        f"interval is corrected for that: without any relation, about {by_chance(len(known))} "
        "would be bold by chance. Relations that hang together make this uneven: fewer are in most "
        "runs, several at once in others."
        if known
        else "No evidence has been measured of this run yet. Other columns can be chosen below."
    )


def by_chance(relations: int) -> str:
    """One of twenty, with one digit, halves upwards."""
    return f"{(relations + 1) // 2 / 10:.1f}"


def chosen_title(choice: Choice) -> None:
    """Heading of the chosen column."""
    method = ""
    if choice.method is not None:
        method = f"\n\n{METHOD_TITLES[choice.method]}: {METHOD_MEANINGS[choice.method]}"
    st.subheader(
        f"{_capital(choice.label)} and loops", anchor=False, help=f"{choice.meaning}{method}"
    )


def key_figures(found: Related, choice: Choice) -> None:
    """The three correlations and the count."""
    how = (
        f"Interval by bootstrap over images ({RESAMPLES} resamples)."
        if found.resampled
        else f"Interval by formula (Bonett and Wright), as for more than {MOST_RESAMPLED:,} images."
    )
    given = (
        "Partial rank correlation: what is left once the confidence is known, that is, of images "
        "of which the network is equally sure."
    )
    if choice.name == "confidence":
        given = "Not defined here: the column is the confidence itself."
    with st.container(horizontal=True, key="key_figures"):
        _correlation("ρ, all images", found.everywhere, f"{_RHO} {how}")
        _correlation(
            "ρ within classes",
            found.within,
            "The same among the images of each class; the mean of the classes, weighted by their "
            f"images. Classes that loop more make no relation here. {how}",
        )
        _correlation("ρ given confidence", found.given, f"{given} {how}")
        figure("Images", f"{found.everywhere.n:,}", "That have a value, after the filters.")


def finding(found: Related, choice: Choice) -> None:
    """What the figures say, in a sentence or two."""
    st.markdown(sentence(found, choice))


def sentence(found: Related, choice: Choice) -> str:
    """The finding in words."""
    whole = found.everywhere
    if math.isnan(whole.rho):
        return "Too few images, or a column that is the same for all: there is no correlation."
    if whole.low <= 0 <= whole.high:
        first = f"Images that loop more or less do not differ in **{choice.phrase}**, as far as "
        first += f"{whole.n:,} images can tell."
    else:
        more = "higher" if whole.rho > 0 else "lower"
        first = (
            f"Images that loop more have a **{more} {choice.phrase}**; the relation is "
            f"{_strength(whole.rho)}."
        )
    rest = [_kept("Within classes", whole, found.within)]
    rest.append(_kept("Among images of equal confidence", whole, found.given))
    return " ".join([first, *(part for part in rest if part)])


def density_title() -> None:
    """Heading of the density."""
    st.markdown(
        "**How many images**",
        help=(
            "Images with so many loops (to the right) and such a value (upwards): the darker, the "
            "more. The line is the mean. The outer bins also hold the half per cent of values that "
            "lies beyond them at either end."
        ),
    )


def means_title() -> None:
    """Heading of the means."""
    st.markdown(
        "**Mean at each number of loops**",
        help=("With its 95 % interval (Student's), of 5 images or more; dotted: the mean of all."),
    )


def classes_title(count: int) -> None:
    """Heading of the classes."""
    st.markdown(
        "**Within each class**",
        help=(
            "Spearman's correlation among the images of each true class, with its 95 % interval by "
            "formula; filled: the interval leaves out 0. Dotted: the mean of all classes. Click a "
            f"class to see it alone. {count:,} classes."
        ),
    )


def class_table_title() -> None:
    """Heading of the table of classes."""
    st.markdown(
        "**The classes in numbers**",
        help="A heading sorts by its column; the magnifier above the table searches it.",
    )


def class_columns() -> dict[str, Any]:
    """How the table of classes is shown."""
    return {
        "name": st.column_config.TextColumn("class"),
        "n": st.column_config.NumberColumn("images", format="localized"),
        "rho": st.column_config.NumberColumn("ρ", format="%.2f", help=_RHO),
        "low": st.column_config.NumberColumn("from", format="%.2f", help="95 % interval."),
        "high": st.column_config.NumberColumn("to", format="%.2f", help="95 % interval."),
        "p": st.column_config.NumberColumn("p", format="%.1e", help="Of no relation, two-sided."),
    }


def not_measured(view: View, method: Method) -> None:
    """How to get a method's evidence for a whole run."""
    st.info(
        f"The evidence by {METHOD_TITLES[method]} has not been measured of this run. This command "
        "does it, goes on where it was interrupted, and writes columns beside the records:"
    )
    slow = f" --limit {_SLOW_LIMIT}" if method in SLOW_METHODS else ""
    st.code(
        f"drnn saliency {view.run.folder} --data {_data(view)} --method {method}{slow}",
        language=None,
    )
    if slow:
        st.caption(
            f"It takes some seventy passes for each image; --limit {_SLOW_LIMIT} measures so many "
            "images at even distances, without it all of them are."
        )


def examples_title(choice: Choice) -> None:
    """Heading of the example images."""
    st.subheader(
        "Images at both ends",
        anchor=False,
        help=(
            f"The images with the lowest and the highest {choice.phrase}, of those that the "
            "filters leave. Below each: its value, class and loops."
        ),
    )


def maps_note(choice: Choice, outlined: bool) -> None:
    """What the small maps show."""
    if choice.method is None:
        return
    signed = "orange for the predicted class, blue against it"
    parts = [signed if choice.method in SIGNED_METHODS else "the stronger, the more evidence"]
    if outlined:
        parts.append("white line: the object, as the generator knows it")
    st.caption(f"Evidence by {METHOD_TITLES[choice.method]}: {'; '.join(parts)}.")


def _correlation(label: str, found: Relation, meaning: str) -> None:
    sure = how_sure(found).partition(", n")[0].removeprefix("95\u00a0% interval ")
    delta = None if math.isnan(found.low) else sure
    whole = f"{meaning} {_capital(how_sure(found))}, {p_value(found.p)}."
    figure(label, number(found.rho), whole, delta)


def _kept(where: str, whole: Relation, part: Relation) -> str:
    """Whether a relation holds on in another view."""
    if math.isnan(part.rho):
        return ""
    value = f"(ρ = {number(part.rho)})"
    if part.low <= 0 <= part.high:
        return f"{where} none is seen {value}."
    if not whole.low <= 0 <= whole.high and (part.rho > 0) == (whole.rho > 0):
        return f"{where} it holds {value}."
    turned = "higher" if part.rho > 0 else "lower"
    return f"{where}, those that loop more have {turned} values {value}."


def _strength(rho: float) -> str:
    size = abs(rho)
    if size < 0.1:
        return "very weak"
    return "weak" if size < 0.3 else "moderate" if size < 0.5 else "strong"


def _data(view: View) -> str:
    if view.table.header.dataset.startswith("generated"):
        return "generated"
    return settings().data or "DATA"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"

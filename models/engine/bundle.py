"""Many arrays as one argument of a compiled step.

A compiled function looks at the type of every argument at every call and unpacks each array: with seventy of them that takes
as long as all steps over one reading. A :class:`Bundle` is looked at once, when it is made. In a compiled function its
arrays have the names they were given: ``state.core``.

Nothing is copied: compiled code gets a table with the address, shape and strides of each array. The bundle holds the arrays,
so that they live as long as the table. That its owner has another one by now it does not notice; :class:`Bundled` does.
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import populate_array

Array = np.ndarray[Any, Any]


class BundleType(types.Type):
    """Names and array types. Two with the same ones are the same type, in every process."""

    def __init__(self, fields: tuple[tuple[str, Any], ...]) -> None:
        self.fields = fields
        # All of it as a name would be longer than the code that is compiled for it.
        super().__init__(f"Bundle_{hashlib.sha256(repr(fields).encode()).hexdigest()[:16]}")


@cache
def _type_of(fields: tuple[tuple[str, Any], ...]) -> BundleType:
    return BundleType(fields)


class Bundle:
    """Arrays by name, for compiled steps."""

    __slots__ = ("_held", "_numba_type_", "_table", "address")

    def __init__(self, arrays: Iterable[tuple[str, Array]]) -> None:
        held = tuple(arrays)
        self._held = held
        self._numba_type_ = _type_of(tuple((name, numba.typeof(array)) for name, array in held))
        words = [(array.ctypes.data, *array.shape, *array.strides) for _, array in held]
        self._table = np.array([word for of_one in words for word in of_one], np.int64)
        self.address: int = self._table.ctypes.data


class Bundled:
    """The bundle of all arrays among the attributes of ``owner``, made anew when these were."""

    __slots__ = ("_bundle", "_owner", "_seen")

    def __init__(self, owner: object, *watched: str) -> None:
        """``watched``: so many of the arrays that no array is ever replaced without one of these."""
        self._owner = owner
        self._seen: list[tuple[str, Any]] = [(name, None) for name in watched]
        self._bundle = Bundle(())

    def now(self) -> Bundle:
        """The arrays as they are now."""
        for name, array in self._seen:
            if getattr(self._owner, name) is not array:
                self._take()
                break
        return self._bundle

    def _take(self) -> None:
        arrays = {name: value for name, value in vars(self._owner).items() if isinstance(value, np.ndarray)}
        self._seen = [(name, arrays[name]) for name, _ in self._seen]
        self._bundle = Bundle(arrays.items())


# -- what numba has to know: a bundle is the address of its table; an attribute is read from there

register_model(BundleType)(models.OpaqueModel)


@typeof_impl.register(Bundle)
def _typeof(value: Bundle, context: object) -> BundleType:  # noqa: ARG001
    return value._numba_type_


@unbox(BundleType)  # type: ignore[untyped-decorator]
def _unbox(kind: BundleType, value: Any, c: Any) -> NativeValue:  # noqa: ARG001
    address = c.pyapi.object_getattr_string(value, "address")
    table = c.pyapi.long_as_voidptr(address)
    c.pyapi.decref(address)
    return NativeValue(table)


@infer_getattr
class _Attributes(AttributeTemplate):
    key = BundleType

    def generic_resolve(self, kind: BundleType, name: str) -> Any:  # type: ignore[override]
        return dict(kind.fields).get(name)


@lower_getattr_generic(BundleType)  # type: ignore[untyped-decorator]
def _read(context: Any, builder: Any, kind: BundleType, value: Any, name: str) -> Any:
    before = [one for one, _ in kind.fields].index(name)
    at = sum(1 + 2 * array.ndim for _, array in kind.fields[:before])
    array = kind.fields[before][1]
    word_type, item_type = context.get_value_type(types.intp), context.get_data_type(array.dtype)
    table = builder.bitcast(value, word_type.as_pointer())

    def word(place: int) -> Any:
        return builder.load(cgutils.gep_inbounds(builder, table, at + place))

    made = context.make_array(array)(context, builder)
    populate_array(
        made,
        data=builder.inttoptr(word(0), item_type.as_pointer()),
        shape=[word(1 + d) for d in range(array.ndim)],
        strides=[word(1 + array.ndim + d) for d in range(array.ndim)],
        itemsize=context.get_constant(types.intp, context.get_abi_sizeof(item_type)),
        meminfo=None,
    )
    return made._getvalue()

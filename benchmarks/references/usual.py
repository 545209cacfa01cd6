"""*usual*: how such a service is mostly written. FastAPI, the ORM with `selectinload`, PyJWT.

It does what the framework's own guides show, and nothing against crashes: no idempotency, no
history, no outbox, no provider. An order is stored as placed.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Index, Numeric, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

SECRET = os.environ["BENCH_JWT_SECRET"]

engine = create_async_engine(os.environ["BENCH_DATABASE_URL"], pool_size=20, max_overflow=12)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Model(DeclarativeBase):
    """The tables of this service."""


class OrderRow(Model):
    """An order."""

    __tablename__ = "orders"
    __table_args__ = (Index("orders_of_customer", "customer_id", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    customer_id: Mapped[str]
    status: Mapped[str]
    currency: Mapped[str]
    total: Mapped[Decimal] = mapped_column(Numeric(18, 2))
    shipping_address: Mapped[dict[str, Any]] = mapped_column(JSONB)
    payment_method: Mapped[str]
    created_at: Mapped[datetime]
    items: Mapped[list["ItemRow"]] = relationship(back_populates="order", order_by="ItemRow.id")


class ItemRow(Model):
    """A line of an order."""

    __tablename__ = "order_items"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    product_id: Mapped[str]
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(18, 2))
    order: Mapped[OrderRow] = relationship(back_populates="items")


class Item(BaseModel):
    """A line, as JSON."""

    model_config = ConfigDict(from_attributes=True)

    product_id: str
    quantity: int = Field(gt=0)
    price: Decimal = Field(ge=0)


class Address(BaseModel):
    """Where the parcel goes."""

    name: str
    line1: str
    city: str
    postal_code: str
    country: str


class NewOrder(BaseModel):
    """What a client sends."""

    items: list[Item] = Field(min_length=1)
    shipping_address: Address
    payment_method: str


class Order(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: str
    total: Decimal
    currency: str
    items: list[Item]
    shipping_address: Address
    created_at: datetime


async def session() -> AsyncIterator[AsyncSession]:
    """One for each request."""
    async with sessions() as opened:
        yield opened


def customer(authorization: Annotated[str, Header()]) -> str:
    """Whose token it is."""
    try:
        claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "invalid token") from error
    return str(claims["sub"])


Session = Annotated[AsyncSession, Depends(session)]
Customer = Annotated[str, Depends(customer)]

app = FastAPI()


@app.post("/api/orders/create", status_code=201)
async def create(order: NewOrder, session: Session, customer: Customer) -> Order:
    """Store an order."""
    row = OrderRow(
        customer_id=customer,
        status="pending",
        currency="USD",
        total=sum((item.price * item.quantity for item in order.items), Decimal(0)),
        shipping_address=order.shipping_address.model_dump(),
        payment_method=order.payment_method,
        created_at=datetime.now(UTC).replace(tzinfo=None),
        items=[ItemRow(**item.model_dump()) for item in order.items],
    )
    session.add(row)
    await session.commit()
    return Order.model_validate(row)


@app.get("/api/orders/{order_id}")
async def get(order_id: UUID, session: Session, customer: Customer) -> Order:
    """One order."""
    found = await session.execute(
        select(OrderRow).options(selectinload(OrderRow.items)).where(OrderRow.id == order_id)
    )
    row = found.scalar_one_or_none()
    if row is None:
        raise HTTPException(404, "unknown order")
    if row.customer_id != customer:
        raise HTTPException(403, "not yours")
    return Order.model_validate(row)


@app.get("/api/orders/")
async def list_orders(
    session: Session,
    customer: Customer,
    limit: Annotated[int, Query(le=100)] = 10,
    offset: int = 0,
) -> list[Order]:
    """The customer's orders, newest first."""
    found = await session.execute(
        select(OrderRow)
        .options(selectinload(OrderRow.items))
        .where(OrderRow.customer_id == customer)
        .order_by(OrderRow.created_at.desc())
        .limit(limit)
        .offset(offset)
    )
    return [Order.model_validate(row) for row in found.scalars()]


async def make_tables() -> None:
    """Create the schema."""
    async with engine.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)
    await engine.dispose()

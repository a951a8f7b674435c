"""Pictures on buttons: paths of SVGs of 24 × 24 pixels."""

AROUND = (
    "M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM12 1.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM12 18.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4z"
    "M3.5 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM20.5 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4z"
)
BOX = (
    "M3 3h4v2H5v2H3zM10 3h4v2h-4zM17 3h4v4h-2V5h-2zM19 10h2v4h-2zM19 17h2v4h-4v-2h2zM10 19h4v2h-4z"
    "M3 17h2v2h2v2H3zM3 10h2v4H3z"
)
ACROSS = "M3 4h2v16H3zM19 4h2v16h-2zM6 12l4-4v3h4V8l4 4-4 4v-3h-4v3z"
LAMP = "M12 2a7 7 0 0 0-4 12.7V17h8v-2.3A7 7 0 0 0 12 2zM9 18.5h6V20H9zM10 21h4v1h-4z"
LASSO = (
    "M12 3C6.5 3 2 6.1 2 10c0 2.3 1.6 4.4 4 5.6V17c0 1.7 1.3 3 3 3 .6 0 1 .4 1 1v1h2v-1c0-1.7-1.3-3-3-3"
    "-.6 0-1-.4-1-1v-.7c1.2.4 2.6.7 4 .7 5.5 0 10-3.1 10-7s-4.5-7-10-7z"
    "m0 2c4.5 0 8 2.3 8 5s-3.5 5-8 5-8-2.3-8-5 3.5-5 8-5z"
)
LESS = "M5 11h14v2H5z"
MORE = "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z"
MOVE = "M12 2l4 4h-3v5h5V8l4 4-4 4v-3h-5v5h3l-4 4-4-4h3v-5H6v3l-4-4 4-4v3h5V6H8z"
WHOLE = (
    "M3 3h7v2H6.4l4 4L9 10.4l-4-4V10H3zM21 3v7h-2V6.4l-4 4L13.6 9l4-4H14V3z"
    "M3 21v-7h2v3.6l4-4L10.4 15l-4 4H10v2zM21 21h-7v-2h3.6l-4-4 1.4-1.4 4 4V14h2z"
)
UPWARDS = "M4 3h16v2H4zM4 19h16v2H4zM12 6l4 4h-3v4h3l-4 4-4-4h3v-4H8z"

let low = 0, high = edges.length - 1
while (high - low > 1) {
  const middle = (low + high) >> 1
  if (edges[middle] <= value) low = middle
  else high = middle
}
return names[low]

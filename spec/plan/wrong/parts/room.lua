local service = {}

function service.start( return end
return service

using LServe.Bench.Load;

if (args is not ["cpu", ..])
{
    Console.Error.WriteLine($"The one benchmark here is `cpu`.\n\n{CpuBenchOptions.Usage}");
    return 2;
}
try
{
    await CpuBench.RunAsync(CpuBenchOptions.Parse(args[1..]));
    return 0;
}
catch (Exception e) when (e is FormatException or ArgumentException or OverflowException or PeerException)
{
    Console.Error.WriteLine($"{e.Message}\n\n{CpuBenchOptions.Usage}");
    return 2;
}

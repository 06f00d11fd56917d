using LServe.Cli;

return await CommandRunner.RunAsync(Commands.Create(), args);
